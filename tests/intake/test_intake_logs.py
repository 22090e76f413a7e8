"""Log records in, signals out, through the real SDK."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from opentelemetry.sdk._logs import LoggerProvider

from otel_posthog import capture
from otel_posthog.actor.context import user_context
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import LogIntake
from otel_posthog.model import Signal
from otel_posthog.translate import translate

TIME_NS = 1_790_000_000_000_000_000


@pytest.fixture
def signals() -> list[Signal]:
    """What the intake submitted."""
    return []


@pytest.fixture
def provider(signals: list[Signal]) -> Iterator[LoggerProvider]:
    """A logger provider with the intake alone."""
    made = LoggerProvider(shutdown_on_exit=False)
    made.add_log_record_processor(LogIntake(signals.append, Guard(Health()), flush=lambda _: True, close=lambda: None))
    yield made
    made.shutdown()


def test_a_log_based_event_is_a_signal(provider: LoggerProvider, signals: list[Signal]) -> None:
    """`event_name` beginning with `analytics.` is enough; the rest of it is the name."""
    provider.get_logger("x").emit(event_name="analytics.signed_up", timestamp=7, attributes={"analytics.plan": "pro"})
    (signal,) = signals
    assert (signal.name, signal.time_ns, signal.attributes) == ("signed_up", 7, {"analytics.plan": "pro"})


def test_a_marked_log_line_is_a_signal_with_its_observed_time(provider: LoggerProvider, signals: list[Signal]) -> None:
    """Any record with `analytics.event` counts; without a time of its own the observed one is taken."""
    provider.get_logger("x").emit(body="text", observed_timestamp=9, attributes={"analytics.event": "searched"})
    (signal,) = signals
    assert (signal.name, signal.time_ns, signal.observed_time_ns) == ("searched", 9, 9)


def test_log_records_that_an_app_gives_one_time_are_different_events(
    provider: LoggerProvider, signals: list[Signal]
) -> None:
    """Clocks tick in milliseconds on some systems: whatever is equal about them, each has a uuid of its own."""
    for _ in range(5):
        provider.get_logger("x").emit(event_name="analytics.e", timestamp=TIME_NS, observed_timestamp=TIME_NS)
    assert len({event.uuid for each in signals for event in translate(each, lambda _: None)}) == 5


def test_an_ordinary_log_line_is_none(provider: LoggerProvider, signals: list[Signal]) -> None:
    """What is not marked is operational."""
    provider.get_logger("x").emit(body="analytics.event", attributes={"user.id": "u1"})
    provider.get_logger("x").emit(event_name="analyticsx.event")
    assert not signals


def test_the_identity_in_context_goes_with_it(provider: LoggerProvider, signals: list[Signal]) -> None:
    """Who acts is read from the record's context."""
    with user_context("u1"):
        provider.get_logger("x").emit(event_name="analytics.e")
    assert signals[0].context is not None
    assert signals[0].context.user_id == "u1"


def test_capture_is_plain_opentelemetry(
    provider: LoggerProvider, signals: list[Signal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`capture()` emits a log-based event in the documented vocabulary and returns its uuid."""
    monkeypatch.setattr("otel_posthog.emit.record.get_logger", provider.get_logger)
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
    event_uuid = capture(
        "report_exported",
        {"rows": 3, "event": "x", "day": moment.date()},
        distinct_id="u1",
        session_id="s1",
        groups={"company": "acme"},
        timestamp=moment,
    )
    (signal,) = signals
    assert signal.name == "report_exported"
    assert signal.time_ns == 1_767_323_045_000_006_000
    assert signal.attributes == {
        "analytics.uuid": event_uuid,
        "analytics.user.id": "u1",
        "analytics.session.id": "s1",
        "analytics.group.company": "acme",
        "analytics.property.rows": 3,
        "analytics.property.event": "x",
        "analytics.property.day": "2026-01-02",
    }
    assert uuid.UUID(event_uuid).version == 4


def test_capture_without_any_provider_does_nothing() -> None:
    """A program without the SDK runs as it would without us."""
    assert capture("e", uuid="018f3c5e-7b2a-7cc0-8000-000000000001") == "018f3c5e-7b2a-7cc0-8000-000000000001"
