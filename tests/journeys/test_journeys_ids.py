"""A journey that goes on elsewhere: by its id, with a link to where it began, and as each mode sends that id."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from events import DAY_NS, NOON_NS, Clock, ring
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from telemetry import Telemetry

from otel_posthog import capture, journey, user_context
from otel_posthog.identity import DailySalts, Pseudonyms
from otel_posthog.journeys.ids import kept, new_id
from otel_posthog.policy import IdentityMode, Policy
from otel_posthog.privacy import Filter

OWN_ID = "order-4711-ada"


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, in which journeys are told."""
    with Telemetry() as made:
        yield made.use_for_capture(monkeypatch)


def begun(**given: Any) -> str:
    """Begin a journey that goes on elsewhere, and return the id to keep."""
    with journey("onboarding", **given) as way, way.step("a"):
        return way.pause()


def ids(telemetry: Telemetry) -> list[Any]:
    """Return the journey's id of every event."""
    return [each["properties"].get("journey_id") for each in telemetry.events]


def test_a_journey_goes_on_by_its_id(telemetry: Telemetry) -> None:
    """It does not begin again, has no number where it is not known, and links to the span in which it began."""
    kept = begun()
    with journey("onboarding", resume=kept) as way, way.step("b"):
        assert way.id == kept
    names = [each["event"] for each in telemetry.events]
    assert names == ["journey_started", *["journey_step_completed"] * 2, "journey_completed"]
    assert set(ids(telemetry)) == {kept}
    assert ["step_number" in each["properties"] for each in telemetry.events] == [False, True, False, False]
    first, second = [each for each in telemetry.spans.get_finished_spans() if each.name == "journey onboarding"]
    (link,) = second.links
    assert first.context is not None
    assert (link.context.trace_id, link.context.span_id) == (first.context.trace_id, first.context.span_id)
    assert not first.links
    assert first.context.trace_id != second.context.trace_id


def test_in_the_same_trace_there_is_no_link(telemetry: Telemetry) -> None:
    """A task or service that got the context with the id is in the trace already."""
    with telemetry.tracer.start_as_current_span("request"):
        kept = begun()
        with journey("onboarding", resume=kept):
            pass
    assert [list(each.links) for each in telemetry.spans.get_finished_spans() if each.links] == []
    assert len({each["properties"]["$trace_id"] for each in telemetry.events}) == 1


def test_after_days_it_is_told_how_long_it_took(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id says when the journey began."""
    kept, began_ns = begun(), time.time_ns()
    monkeypatch.setattr("otel_posthog.journeys.steps.time.time_ns", lambda: began_ns + 3 * DAY_NS)
    with journey("onboarding", resume=kept):
        pass
    assert telemetry.events[-1]["properties"]["duration_s"] == pytest.approx(3 * 86_400, abs=5)


@pytest.mark.parametrize("own", [OWN_ID, 4711, uuid.UUID(int=4711)])
def test_an_app_may_have_ids_of_its_own(own: Any, telemetry: Telemetry) -> None:
    """They say neither when it began nor where: no link, and no duration but where it begins."""
    assert begun(id=own) == str(own)
    with journey("onboarding", id=own):
        pass
    with journey("onboarding", resume=own):
        pass
    assert set(ids(telemetry)) == {str(own)}
    ends = [each["properties"] for each in telemetry.events if each["event"] == "journey_completed"]
    assert ["duration_s" in each for each in ends] == [True, False]
    assert [list(each.links) for each in telemetry.spans.get_finished_spans() if each.links] == []


@pytest.mark.parametrize("lost", [None, "", "  ", "x" * 201, True, b"abc", ["a"], 10**30, object()])
def test_what_is_no_id_begins_a_journey(lost: Any, telemetry: Telemetry) -> None:
    """Somebody without the cookie, or with one that is no id of anybody's, has just come."""
    with journey("onboarding", resume=lost, id=lost) as way:
        pass
    assert [each["event"] for each in telemetry.events] == ["journey_started", "journey_completed"]
    assert set(ids(telemetry)) == {way.id}
    assert len(way.id) == 61


@pytest.mark.parametrize("forged", ["0" * 32 + "-" + "0" * 16 + "-" + "0" * 12, "f" * 32 + "-" + "f" * 12, "٣" * 32])
def test_an_id_that_somebody_made_up_does_no_harm(forged: str, telemetry: Telemetry) -> None:
    """It may come back from a browser: it is some journey's id and no more."""
    with journey("onboarding", resume=forged):
        pass
    assert ids(telemetry) == [forged]
    assert telemetry.events[0]["properties"].get("duration_s", 0) >= 0
    assert [list(each.links) for each in telemetry.spans.get_finished_spans() if each.links] == []


def test_there_is_no_link_to_what_nobody_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trace in which the journey began was not sampled; the events are there all the same."""
    with Telemetry(sampler=ALWAYS_OFF) as telemetry:
        telemetry.use_for_capture(monkeypatch)
        kept = begun()
        with journey("onboarding", resume=kept):
            pass
        names = [each["event"] for each in telemetry.events]
        assert names == ["journey_started", "journey_step_completed", "journey_completed"]
    with Telemetry() as telemetry:
        telemetry.use_for_capture(monkeypatch)
        with journey("onboarding", resume=kept):
            pass
        assert list(telemetry.spans.get_finished_spans()[0].links) == []
    assert len(kept) == 45


def sent_on(mode: IdentityMode, salts: DailySalts, at_ns: int) -> tuple[str | None, str]:
    """Return the one id of a journey in all events of a day, and all that is sent."""
    with Telemetry(mode, pseudonyms=Pseudonyms(keys=ring(), salts=salts)) as telemetry:
        attributes = {"analytics.journey.id": OWN_ID, "analytics.user.id": "u-1", "analytics.note": f"of {OWN_ID}"}
        for event in ("a", "b"):
            span = telemetry.tracer.start_span("op", attributes={"analytics.event": event, **attributes})
            span.add_event("analytics.inside", {"analytics.note": f"{OWN_ID}/7"}, timestamp=at_ns)
            span.end(at_ns)
        (one,) = set(ids(telemetry))
        return one, json.dumps(telemetry.events)


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_each_mode_sends_a_journey_as_it_sends_users(mode: IdentityMode, tmp_path: Path) -> None:
    """One id a day, or a pseudonym that lasts, or none; the id itself stands nowhere where users' ids do not."""
    clock = Clock()
    salts = DailySalts(tmp_path, clock)
    first, sent = sent_on(mode, salts, NOON_NS)
    clock.pass_by(days=1)
    second, _ = sent_on(mode, salts, NOON_NS + DAY_NS)
    if mode is IdentityMode.UNLINKED:
        assert first is second is None
    elif mode.has_persons:
        assert first == second == (OWN_ID if mode is IdentityMode.IDENTIFIED else first)
    else:
        days = [(each or "")[:-32] for each in (first, second)]
        assert days == ["journey-20260102-", "journey-20260103-"]
        assert (first or "")[-32:] != (second or "")[-32:]
    assert (OWN_ID in sent) is (mode is IdentityMode.IDENTIFIED)
    assert ("[journey]/7" in sent) is (mode is not IdentityMode.IDENTIFIED)


@pytest.mark.parametrize("mode", [IdentityMode.INSTALLATION, IdentityMode.DAILY])
def test_a_day_whose_salt_is_gone_has_no_journey(mode: IdentityMode, tmp_path: Path) -> None:
    """Under another day's salt the id would link the two days."""
    with Telemetry(mode, pseudonyms=Pseudonyms(salts=DailySalts(tmp_path))) as telemetry:
        span = telemetry.tracer.start_span("op", attributes={"analytics.event": "a", "analytics.journey.id": OWN_ID})
        span.end(time.time_ns() - 3 * DAY_NS)
        assert ids(telemetry) == [None]
        assert telemetry.counted() == {"daily_salt_gone": 1}


def test_no_kind_of_id_is_another() -> None:
    """A journey, a user, a session and a group with the same id have nothing in common but that."""
    with Telemetry(IdentityMode.PSEUDONYMOUS, pseudonyms=Pseudonyms(keys=ring())) as telemetry:
        kinds = ("journey.id", "user.id", "session.id", "group.company")
        given = {f"analytics.{kind}": OWN_ID for kind in kinds}
        telemetry.tracer.start_span("op", attributes={"analytics.event": "a", **given}).end()
        properties = telemetry.only["properties"]
    sent = [
        properties["journey_id"],
        telemetry.only["distinct_id"],
        properties["session_id"],
        properties["$groups"]["company"],
    ]
    assert len({each.rpartition("-")[2] for each in sent}) == 4


def test_an_id_that_is_sent_as_it_is_passes_the_detectors(telemetry: Telemetry) -> None:
    """As a session's id does; one of ours has nothing in it that they take for anything."""
    with journey("onboarding", id="order of ada@example.com") as way:
        pass
    assert set(ids(telemetry)) == {"order of [email]"}
    assert way.id == "order of ada@example.com"
    for _ in range(500):
        begun()
    assert all(re.fullmatch(r"[0-9a-f]{48}-[0-9a-f]{12}", each) for each in ids(telemetry)[2:])


def test_no_span_makes_an_id_that_looks_like_a_card() -> None:
    """Whatever digits the ids of trace and span have."""
    span = NonRecordingSpan(SpanContext(0x078D6851482FBD107D0D124CB945832E, 0x2654705059584697, False, TraceFlags(1)))
    made = new_id(span, 1_790_000_000_000_000_000)
    assert Filter(Policy().privacy).scrub_text(made) == made
    read = kept(made)
    assert read is not None
    assert read.link is not None
    assert read.link.context.span_id == 0x2654705059584697


def test_other_events_of_an_app_may_name_the_journey(telemetry: Telemetry) -> None:
    """By the attribute, on a span as on what `capture()` emits."""
    with user_context("u-1"):
        capture("card_refused", {"journey.id": "j-1"})
    telemetry.span(analytics__event="e", analytics__journey__id="j-1")
    assert [each["properties"].get("journey_id") for each in telemetry.events] == [None, "j-1"]
