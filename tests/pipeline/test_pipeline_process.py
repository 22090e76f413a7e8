"""The stages joined: from a signal to what PostHog gets, and what happens when a stage fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from clean import TIME_NS, policy
from forked import in_child
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, RECEIVED, Health
from otel_posthog.model import CleanEvent, Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import CollectionPolicy, IdentityMode, Policy
from otel_posthog.privacy import Filter
from otel_posthog.stages import clean_events
from otel_posthog.testing import FakePostHog, Fault

MAIL = "ada.lovelace@example.org"


def signal(number: int = 1, **attributes: Any) -> Signal:
    """Return the signal of a log-based event."""
    given = {key.replace("__", "."): value for key, value in attributes.items()}
    return Signal(Source.LOG, "e", given, TIME_NS, observed_time_ns=number)


class Running:
    """A pipeline with its health."""

    def __init__(self, in_force: Policy) -> None:
        self.health = Health()
        self.pipeline = Pipeline(
            in_force, installation_id="installation-1", health=self.health, guard=Guard(self.health)
        )

    def clean(self, given: Signal) -> list[CleanEvent]:
        """Return the clean events of `given`."""
        return clean_events(self.pipeline.stages.outcomes(given))

    def bodies(self, given: Signal) -> list[dict[str, Any]]:
        """Return the clean events of `given`, decoded."""
        return [json.loads(each.body) for each in self.clean(given)]

    def dropped(self) -> dict[str, int]:
        """Return what was dropped, by reason."""
        return {reason: n for (outcome, reason), n in self.health.snapshot().items() if outcome == DROPPED}


@pytest.fixture
def running() -> Iterator[Running]:
    """A pipeline with the built-in policy and nowhere to send to."""
    made = Running(policy("http://127.0.0.1:9"))
    yield made
    made.pipeline.shutdown(0)


def test_a_signal_arrives_as_a_filtered_anonymous_event(fake_posthog: FakePostHog) -> None:
    """The whole way: names, properties, uuid, time, identity, and nothing that was not allowed."""
    made = Running(policy(fake_posthog.url))
    attributes = {
        "analytics.property.note": f"write to {MAIL}",
        "analytics.user.id": "u1",
        "analytics.user.set.plan": "pro",
        "http.route": "/t",
        "db.query.text": "select 1",
    }
    made.pipeline.submit(Signal(Source.SPAN, "e", attributes, TIME_NS, trace_id=1, span_id=2))
    assert made.pipeline.shutdown(5)
    (event,) = fake_posthog.events
    assert event.properties == {
        "http.route": "/t",
        "note": "write to [email]",
        "$ip": "0.0.0.0",
        "$geoip_disable": True,
        "$process_person_profile": False,
        "$ignore_sent_at": True,
        "$trace_id": f"{1:032x}",
        "$span_id": f"{2:016x}",
        "trace_sampled": True,
    }
    assert (event.event, event.distinct_id, event.timestamp) == (
        "e",
        "installation-1",
        "2026-01-02T03:04:05.123456+00:00",
    )
    assert made.health.snapshot()[RECEIVED, "span"] == 1


def test_identified_mode_filters_the_person_too(running: Running) -> None:
    """Person properties and groups go through the same detectors."""
    identified = Running(policy("http://127.0.0.1:9").with_identity(IdentityMode.IDENTIFIED))
    (body,) = identified.bodies(
        signal(
            analytics__user__id="u1",
            analytics__user__set__bio=f"I am {MAIL}",
            analytics__user__set__password="hunter2",
            analytics__group__company=MAIL,
        )
    )
    assert (body["distinct_id"], body["options"]["process_person_profile"]) == ("u1", True)
    assert body["properties"]["$set"] == {"bio": "I am [email]"}
    assert MAIL not in json.dumps(body)
    identified.pipeline.shutdown(0)


def test_an_anonymous_event_does_not_repeat_the_users_id(running: Running) -> None:
    """What the identity mode does not send, no property may tell; where the mode sends it, the property stays."""
    given = signal(analytics__user__id="cust-4711", analytics__viewer="cust-4711")
    assert running.bodies(given)[0]["properties"]["viewer"] == "[user]"
    identified = Running(policy("http://127.0.0.1:9").with_identity(IdentityMode.IDENTIFIED))
    assert identified.bodies(given)[0]["properties"]["viewer"] == "cust-4711"
    identified.pipeline.shutdown(0)


def test_consent_denied_sends_nothing(running: Running) -> None:
    """`analytics.consent` = false is a counted drop."""
    running.pipeline.submit(signal(analytics__consent=False))
    running.pipeline.flush(5)
    assert running.dropped() == {"consent": 1}


def test_where_consent_is_required_silence_is_a_no(running: Running) -> None:
    """With `consent_required` only a given yes sends."""
    strict = replace(running.pipeline.policy, collection=CollectionPolicy(consent_required=True))
    made = Running(strict)
    assert made.bodies(signal()) == []
    assert len(made.bodies(signal(analytics__consent=True))) == 1
    made.pipeline.shutdown(0)


@pytest.mark.parametrize("stage", ["translate", "person", "encode_event", "consent_given"])
def test_a_stage_that_fails_drops_the_event_and_counts_it(
    stage: str, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: nothing unfiltered goes on, nothing is raised, the reason has no value in it."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(MAIL)

    monkeypatch.setattr(Guard, "reraise", False)
    place = "translate" if stage == "translate" else "clean"
    monkeypatch.setattr(f"otel_posthog.{'stages' if place == 'translate' else 'clean'}.{stage}", broken)
    running.pipeline.submit(signal())
    running.pipeline.flush(5)
    assert running.dropped() == {f"error_in_{place}": 1}
    assert MAIL not in str(running.health.snapshot())


def test_a_filter_that_fails_drops_the_event(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The privacy stage is no exception to failing closed."""
    monkeypatch.setattr(Guard, "reraise", False)
    monkeypatch.setattr(Filter, "properties", lambda *_: 1 / 0)
    assert running.bodies(signal(analytics__a=MAIL)) == []
    assert running.dropped() == {"error_in_clean": 1}


def test_each_destination_gets_what_its_own_mode_allows() -> None:
    """One event, two destinations: anonymous to the vendor, identified to the operator."""
    both = policy("http://127.0.0.1:9", "http://127.0.0.1:9")
    vendor, operator = both.destinations
    made = Running(replace(both, destinations=(vendor, replace(operator, identity=IdentityMode.IDENTIFIED))))
    bodies = made.bodies(signal(analytics__user__id="u1"))
    assert [body["distinct_id"] for body in bodies] == ["installation-1", "u1"]
    made.pipeline.shutdown(0)


def test_a_drop_at_one_destination_leaves_the_other_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails for the vendor still arrives at the operator."""
    monkeypatch.setattr(Guard, "reraise", False)
    made = Running(policy("http://127.0.0.1:9", "http://127.0.0.1:9"))
    real = made.pipeline.stages.cleaner.clean

    def first_fails(event: Any, destination: Any, receipt: Any) -> Any:
        if destination.name == "default":
            raise RuntimeError
        return real(event, destination, receipt)

    monkeypatch.setattr(made.pipeline.stages.cleaner, "clean", first_fails)
    assert [each.destination for each in made.clean(signal())] == ["d1"]
    made.pipeline.shutdown(0)


def test_a_full_queue_has_the_application_thread_do_the_work(
    fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slower, bounded, nothing lost."""
    made = Running(policy(fake_posthog.url, max_queue_bytes=1))
    threads: set[str] = set()
    real = made.pipeline.stages.outcomes

    def noting(given: Signal, _: object = None) -> Any:
        threads.add(threading.current_thread().name)
        return real(given)

    monkeypatch.setattr(made.pipeline.stages, "outcomes", noting)
    for number in range(10):
        made.pipeline.submit(signal(number))
    assert made.pipeline.shutdown(5)
    assert threads == {threading.current_thread().name}
    assert len(fake_posthog.unique_events) == 10


def test_the_same_telemetry_twice_is_one_event(fake_posthog: FakePostHog) -> None:
    """Delivered again, the same item has the same uuid, and PostHog keeps one."""
    made = Running(policy(fake_posthog.url))
    for _ in range(2):
        made.pipeline.submit(signal(7))
    assert made.pipeline.shutdown(5)
    assert (len(fake_posthog.events), len(fake_posthog.unique_events)) == (2, 1)


def test_what_is_left_at_the_end_is_counted_and_told(
    fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """Events that could not be delivered in time are a count and one line, not a silence."""
    fake_posthog.fault(Fault(status=503, times=None))
    made = Running(policy(fake_posthog.url))
    for number in range(3):
        made.pipeline.submit(signal(number))
    assert not made.pipeline.shutdown(0.2)
    assert made.dropped() == {"exit": 3}
    assert "3 product events were not delivered before the end" in caplog.text


@pytest.mark.alone
def test_three_providers_share_one_exit_budget(fake_posthog: FakePostHog) -> None:
    """A hanging PostHog delays an exit once, however many providers shut down."""
    fake_posthog.fault(Fault(hang_s=60, times=None))
    made = Running(policy(fake_posthog.url, shutdown_timeout_s=1.0))
    made.pipeline.submit(signal())
    started = time.monotonic()
    for _ in range(5):
        made.pipeline.flush_for_exit()
    assert not made.pipeline.shutdown()
    assert time.monotonic() - started < 4


def test_a_child_delivers_its_own_events_only(fake_posthog: FakePostHog) -> None:
    """Forked with a full queue: every event arrives once, the child's own too."""
    made = Running(policy(fake_posthog.url, flush_interval_s=0.3))
    for number in range(10):
        made.pipeline.submit(signal(number))

    def work() -> bool:
        made.pipeline.submit(signal(100))
        return made.pipeline.flush(5)

    assert in_child(work)
    assert made.pipeline.shutdown(5)
    assert len(fake_posthog.events) == len(fake_posthog.unique_events) == 11


_Leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(f"is {MAIL} there")
)
_Nested = st.lists(_Leaves, max_size=4) | st.dictionaries(st.text(max_size=8), _Leaves, max_size=4)
_Values = _Leaves | _Nested | st.lists(_Nested, max_size=3) | st.dictionaries(st.text(max_size=8), _Nested, max_size=3)


@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=20).map(lambda key: f"analytics.{key}"), _Values, max_size=6))
def test_whatever_an_app_sets_no_error_and_no_planted_value_comes_out(attributes: dict[str, Any]) -> None:
    """Any attributes at all: the event is clean JSON that PostHog takes, or it is dropped for a known reason."""
    made = Running(policy("http://127.0.0.1:9"))
    for body in made.clean(Signal(Source.LOG, "e", attributes, TIME_NS)):
        text = body.body.decode("utf-8")
        assert MAIL not in text
        json.loads(text, parse_constant=pytest.fail)
    assert set(made.dropped()) <= {"consent", "too_large"}
    made.pipeline.shutdown(0)
