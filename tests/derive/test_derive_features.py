"""`$feature/<key>` on later events of the context in which a feature flag was evaluated, and on no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from flagged import LoggingHook, client, user
from opentelemetry.trace import SpanKind
from telemetry import Telemetry

from otel_posthog import capture, set_user, user_context
from otel_posthog.actor import flags as kept_flags
from otel_posthog.intake.otlp.records import SpanEvent, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser

FLAG_CALLED = "$feature_flag_called"


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, in which calls of flags are derived."""
    with Telemetry(derive=("flags",)) as made:
        yield made.use_for_capture(monkeypatch)


def features(telemetry: Telemetry) -> list[tuple[str, dict[str, Any]]]:
    """Return each event with the flags on it, but for the calls of flags themselves."""
    return [
        (each["event"], {key[9:]: value for key, value in each["properties"].items() if key.startswith("$feature/")})
        for each in telemetry.events
        if each["event"] != FLAG_CALLED
    ]


def request(telemetry: Telemetry) -> Any:
    """Return a request's span, as a block."""
    return telemetry.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER)


@pytest.mark.parametrize("is_log", [False, True])
def test_later_events_of_a_request_tell_what_flags_said(is_log: bool, telemetry: Telemetry) -> None:
    """Of every kind, in threads and tasks too; what was before it does not, nor does another request."""
    flags = client(LoggingHook(telemetry.logger) if is_log else None)

    async def in_task() -> None:
        await asyncio.to_thread(capture, "in_task")

    with request(telemetry) as span:
        capture("before")
        span.add_event("analytics.before_on_span")
        with telemetry.tracer.start_as_current_span("inner"):
            flags.get_string_value("button", "", user("u-1"))
            flags.get_boolean_value("gone", default_value=True, evaluation_context=user("u-1"))
        capture("after")
        with telemetry.tracer.start_as_current_span("later", attributes={"analytics.event": "span"}) as later:
            later.add_event("analytics.on_span")
        thread = threading.Thread(target=copy_context().run, args=(capture, "in_thread"))
        thread.start()
        thread.join()
        asyncio.run(in_task())
        flags.get_boolean_value("new-cart", default_value=False, evaluation_context=user("u-1"))
        span.set_attribute("analytics.event", "request")
    with request(telemetry):
        capture("other")
    button: dict[str, Any] = {"button": "blue"}
    assert dict(features(telemetry)) == {
        **{name: {} for name in ("before", "before_on_span", "other")},
        **dict.fromkeys(("after", "span", "on_span", "in_thread", "in_task"), button),
        "request": {**button, "new-cart": True},
    }
    calls = [each["properties"] for each in telemetry.events if each["event"] == FLAG_CALLED]
    assert sorted(key for each in calls for key in each if key.startswith("$feature/")) == [
        "$feature/button",
        "$feature/new-cart",
    ]


def told(telemetry: Telemetry, key: str, variant: str, who: str | None = None) -> None:
    """Tell of an evaluation on the current span."""
    context = {} if who is None else {"context.id": who}
    given = {"key": key, "result.variant": variant, **context}
    telemetry.logger.emit(
        event_name="feature_flag.evaluation",
        attributes={f"feature_flag.{name}": value for name, value in given.items()},
    )


def for_somebody_else(telemetry: Telemetry) -> None:
    """The targeting key is another user's."""
    told(telemetry, "a", "x", "u-2")


def for_whoever_acted(telemetry: Telemetry) -> None:
    """Another user acted where the flag was evaluated."""
    with user_context("u-2"):
        told(telemetry, "a", "x")


def for_them(telemetry: Telemetry) -> None:
    """The targeting key is theirs."""
    told(telemetry, "a", "x", "u-1")


def for_nobody(telemetry: Telemetry) -> None:
    """Nobody was known."""
    told(telemetry, "a", "x")


def for_both(telemetry: Telemetry) -> None:
    """Each user has an answer of their own."""
    told(telemetry, "a", "x", "u-1")
    told(telemetry, "a", "y", "u-2")


def for_them_again(telemetry: Telemetry) -> None:
    """The last answer counts."""
    told(telemetry, "a", "y", "u-1")
    told(telemetry, "a", "x", "u-1")


@pytest.mark.parametrize("has_request", [True, False])
@pytest.mark.parametrize(
    ("evaluate", "expected"),
    [
        (for_somebody_else, {}),
        (for_whoever_acted, {}),
        (for_them, {"a": "x"}),
        (for_nobody, {"a": "x"}),
        (for_both, {"a": "x"}),
        (for_them_again, {"a": "x"}),
    ],
)
def test_no_user_has_what_a_flag_said_to_another(
    evaluate: Callable[[Telemetry], None], expected: dict[str, Any], has_request: bool, telemetry: Telemetry
) -> None:
    """In a job that is about many users each event has its own user's answers."""
    kind = SpanKind.CONSUMER if has_request else SpanKind.INTERNAL
    with telemetry.tracer.start_as_current_span("work", kind=kind):
        evaluate(telemetry)
        with user_context("u-1"):
            capture("e")
    assert features(telemetry) == [("e", expected)]


def test_events_of_nobody_have_what_flags_said_in_their_request(telemetry: Telemetry) -> None:
    """A visitor who is not known, with a targeting key that only the app knows."""
    with request(telemetry):
        told(telemetry, "a", "x", "visitor-1")
        capture("e")
        set_user("u-1")
        capture("f")
    assert features(telemetry) == [("e", {"a": "x"}), ("f", {})]


def test_outside_of_a_request_it_is_the_span_and_what_is_inside_it(telemetry: Telemetry) -> None:
    """A program without requests: neither the span around it nor the next one has it."""
    start = telemetry.tracer.start_as_current_span
    with start("outer"):
        with start("one"):
            told(telemetry, "a", "x")
            capture("in_one")
            with start("inside"):
                capture("inside")
        with start("two"):
            capture("in_two")
        with start("again"):
            told(telemetry, "a", "x")
            with start("nearest"):
                told(telemetry, "a", "y")
                capture("nearest")
        capture("in_outer")
    told(telemetry, "a", "x")
    capture("nowhere")
    expected = {"in_one": {"a": "x"}, "inside": {"a": "x"}, "in_two": {}, "in_outer": {}, "nowhere": {}}
    expected["nearest"] = {"a": "y"}
    assert dict(features(telemetry)) == expected


def test_a_property_of_the_apps_own_wins(telemetry: Telemetry) -> None:
    """Whoever sets `$feature/<key>` themselves knows why; changes of persons have none."""
    with request(telemetry):
        told(telemetry, "a", "x")
        capture("e", {"$feature/a": "mine"})
        telemetry.logger.emit(event_name="analytics.$identify", attributes={"analytics.user.id": "u-1"})
    assert features(telemetry) == [("e", {"a": "mine"}), ("$identify", {})]


def test_what_is_kept_of_a_request_is_bounded(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest answer goes for a new one."""
    monkeypatch.setattr(kept_flags, "MAX_FLAGS", 3)
    with request(telemetry):
        for number in range(5):
            told(telemetry, f"f{number}", "x")
        capture("e")
    assert features(telemetry) == [("e", {"f2": "x", "f3": "x", "f4": "x"})]


def test_requests_at_the_same_time_do_not_mix(telemetry: Telemetry) -> None:
    """Fifty users in threads, each with an answer of their own, and with flags that others write meanwhile."""

    def serve(number: int) -> None:
        with request(telemetry), user_context(f"u-{number}"):
            for each in range(10):
                told(telemetry, f"f{each}", f"v{number}")
            capture(f"e{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(serve, range(50)))
    assert dict(features(telemetry)) == {
        f"e{number}": {f"f{each}": f"v{number}" for each in range(10)} for number in range(50)
    }


def test_nothing_is_kept_where_no_rule_is_about_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it with a policy that derives other things."""
    with Telemetry(derive=("web",)) as telemetry:
        telemetry.use_for_capture(monkeypatch)
        with request(telemetry) as span:
            told(telemetry, "a", "x")
            span.add_event("feature_flag.evaluation", {"feature_flag.key": "a", "feature_flag.result.variant": "x"})
            capture("e")
        assert features(telemetry) == [("e", {})]


@pytest.mark.parametrize("attributes", [None, {}, {7: 8}, {"feature_flag.key": object()}, {"feature_flag.key": "a"}])
def test_a_span_event_of_any_making_does_no_harm(attributes: Any, telemetry: Telemetry) -> None:
    """The app's call goes on as without us."""
    with request(telemetry) as span:
        span.add_event("feature_flag.evaluation", attributes)
        capture("e")
    assert features(telemetry) == [("e", {})]


def test_a_gateway_knows_what_one_span_tells() -> None:
    """Of an app in another language: events of the span after the evaluation have it, and the span itself."""
    evaluation = {"feature_flag.key": "a", "feature_flag.result.variant": "x", "feature_flag.context.id": "u-1"}
    events = (
        SpanEvent("analytics.before", {}, 4),
        SpanEvent("feature_flag.evaluation", evaluation, 5),
        SpanEvent("analytics.after", {}, 6),
    )
    record = SpanRecord("GET /", {"analytics.event": "span"}, 1, 2, 9, events, "", {})
    made = record_signals(record, Recogniser(Policy(derive=("flags",))))
    assert {each.name: [(flag.key, flag.response, flag.user_id) for flag in each.flags] for each in made} == {
        "span": [("a", "x", "u-1")],
        "before": [],
        FLAG_CALLED: [],
        "after": [("a", "x", "u-1")],
    }
