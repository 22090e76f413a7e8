"""Opting out at run time, and preview: what waits goes, nothing is sent, and it is counted."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import pytest
from clean import TIME_NS, policy

from otel_posthog.deliver import Preview
from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, PREVIEWED, RECEIVED, Health
from otel_posthog.model import CleanEvent, Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Policy
from otel_posthog.testing import FakePostHog, Fault


def signal(number: int) -> Signal:
    """Return the signal of a log-based event."""
    return Signal(Source.LOG, "e", {}, TIME_NS, observed_time_ns=number)


class Choice:
    """Somebody's choice."""

    is_off = False

    def __call__(self) -> bool:
        """Return whether they opted out."""
        return self.is_off


def pipeline_of(in_force: Policy, health: Health, is_opted_out: Callable[[], bool]) -> Pipeline:
    """Return a pipeline that asks `is_opted_out`."""
    return Pipeline(
        in_force, installation_id="installation-1", health=health, guard=Guard(health), is_opted_out=is_opted_out
    )


def test_opting_out_drops_and_counts_what_waits_for_a_posthog_that_is_away(fake_posthog: FakePostHog) -> None:
    """Also in the middle of its retries; what comes after is not even counted, and opting in again sends again."""
    fake_posthog.fault(Fault(status=503, times=None))
    health, choice = Health(), Choice()
    made = pipeline_of(policy(fake_posthog.url), health, choice)
    for number in range(5):
        made.submit(signal(number))
    assert not made.flush(0.3)
    choice.is_off = True
    made.submit(signal(5))
    assert made.flush(30)
    assert health.snapshot()[DROPPED, "opted_out"] == 5
    assert health.snapshot()[RECEIVED, "log"] == 5
    time.sleep(0.5)  # a request that was under way is answered before the server works again
    fake_posthog.clear_faults()
    choice.is_off = False
    made.submit(signal(6))
    assert made.shutdown(5)
    assert len(fake_posthog.unique_events) == 1


def test_opting_out_in_another_process_is_seen_by_an_idle_one(
    fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any event the worker looks now and then, and drops what waits."""
    monkeypatch.setattr("otel_posthog.worker._IDLE_S", 0.05)
    fake_posthog.fault(Fault(status=503, times=None))
    health, choice = Health(), Choice()
    made = pipeline_of(policy(fake_posthog.url), health, choice)
    made.submit(signal(1))
    assert not made.flush(0.2)
    choice.is_off = True
    assert made.flush(30)
    assert health.snapshot()[DROPPED, "opted_out"] == 1
    made.shutdown(0)


def test_what_is_queued_for_the_filters_goes_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event under way is dropped where it is, those behind it are not even looked at."""
    health, choice = Health(), Choice()
    made = pipeline_of(policy("http://127.0.0.1:9"), health, choice)
    inside, go_on = threading.Event(), threading.Event()
    real = made.stages.outcomes

    def waiting(given: Signal, _: object = None) -> object:
        inside.set()
        assert go_on.wait(10)
        return real(given)

    monkeypatch.setattr(made.stages, "outcomes", waiting)
    # Else a thread that waits for its turn on a busy machine handles the later ones itself.
    monkeypatch.setattr(made._worker, "_max_age_s", math.inf)
    delivered: list[CleanEvent] = []
    monkeypatch.setattr(made._delivery, "submit", delivered.append)
    for number in range(4):
        made.submit(signal(number))
    assert inside.wait(10)
    choice.is_off = True
    made.heed_choice()
    go_on.set()
    assert made.flush(30)
    assert health.snapshot()[DROPPED, "opted_out"] == 4
    assert health.snapshot()[RECEIVED, "log"] == 1
    assert delivered == []
    made.shutdown(0)


def test_each_change_of_mind_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """However many events are not collected because of it."""
    caplog.set_level("INFO")
    choice = Choice()
    made = pipeline_of(policy("http://127.0.0.1:9"), Health(), choice)
    for is_off in (True, False):
        choice.is_off = is_off
        for _ in range(3):
            made.heed_choice()
    assert caplog.messages == [
        "product events are no longer collected: set_collection(False)",
        "product events are collected again: set_collection(True)",
    ]
    made.shutdown(0)


def test_a_preview_filters_counts_and_sends_nothing(fake_posthog: FakePostHog) -> None:
    """Every event is counted for every destination; no connection is made, not even at the end."""
    health = Health()
    in_force = policy(fake_posthog.url, fake_posthog.url)
    guard = Guard(health)
    made = Pipeline(
        in_force,
        installation_id="installation-1",
        health=health,
        guard=guard,
        delivery=Preview(in_force, health, guard),
    )
    for number in range(3):
        made.submit(signal(number))
    assert made.flush(30)
    made.replace_policy(policy(fake_posthog.url, fake_posthog.url, fake_posthog.url))
    assert made.shutdown(5)
    assert {reason: n for (outcome, reason), n in health.snapshot().items() if outcome == PREVIEWED} == {
        "default": 3,
        "d1": 3,
    }
    assert fake_posthog.requests == []
