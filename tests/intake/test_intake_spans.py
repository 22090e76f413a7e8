"""Spans in, signals out, through the real SDK."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_posthog.actor.attributes import is_kept, may_keep
from otel_posthog.actor.context import user_context
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT, Health
from otel_posthog.intake import SpanIntake
from otel_posthog.model import Signal, Source
from otel_posthog.operational import detach
from otel_posthog.recogniser import has_product_attributes


class Stage:
    """A provider whose exporter comes before the intake, as in a set-up that is there already."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.health = Health()
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.intake = SpanIntake(
            self.signals.append, detach, Guard(self.health), flush=lambda _: True, close=lambda: None
        )
        self.provider.add_span_processor(self.intake)
        self.tracer = self.provider.get_tracer("test")

    @property
    def exported(self) -> ReadableSpan:
        """The one span that the operational exporter got."""
        (span,) = self.exporter.get_finished_spans()
        return span


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage, shut down afterwards."""
    made = Stage()
    yield made
    made.provider.shutdown()


def test_a_marked_span_is_a_signal_and_goes_on_clean(stage: Stage) -> None:
    """The product event is read, and an exporter registered before us sees no trace of it."""
    with stage.tracer.start_as_current_span("op", attributes={"analytics.event": "e", "http.route": "/t"}) as span:
        span.set_attribute("analytics.priority", "high")
    (signal,) = stage.signals
    assert (signal.source, signal.name, signal.time_ns) == (Source.SPAN, "e", stage.exported.end_time)
    assert signal.attributes == {"analytics.event": "e", "http.route": "/t", "analytics.priority": "high"}
    assert signal.trace_id == stage.exported.context.trace_id
    assert dict(stage.exported.attributes or {}) == {"http.route": "/t"}


def test_product_attributes_without_an_event_are_stripped_too(stage: Stage) -> None:
    """`analytics.user.id` on a span that is no event is still user data."""
    stage.tracer.start_span("op", attributes={"analytics.user.id": "u1"}).end()
    assert not stage.signals
    assert not stage.exported.attributes


def test_an_operational_span_is_not_touched(stage: Stage) -> None:
    """A span that holds nothing of ours keeps its very attributes and events."""
    span = stage.tracer.start_span("op", attributes={"a": 1})
    span.add_event("cache.miss", {"key": "x"})
    before = (span._attributes, span._events)  # type: ignore[attr-defined]
    span.end()
    assert not stage.signals
    assert (stage.exported._attributes, stage.exported._events) == before
    assert stage.exported._attributes is before[0]


def test_several_events_come_from_one_span_and_only_operational_ones_stay(stage: Stage) -> None:
    """The span, a span event by name and one by attribute are three signals; exact repeats are numbered."""
    with stage.tracer.start_as_current_span("op", attributes={"analytics.event": "e"}) as span:
        span.add_event("analytics.viewed", {"n": 1}, timestamp=5)
        span.add_event("analytics.viewed", {"n": 2}, timestamp=5)
        span.add_event("marked", {"analytics.event": "chosen"}, timestamp=6)
        span.add_event("cache.miss", timestamp=7)
    found = [(each.source, each.name, each.repeat_index) for each in stage.signals]
    event = Source.SPAN_EVENT
    assert found == [(Source.SPAN, "e", 0), (event, "viewed", 0), (event, "viewed", 1), (event, "chosen", 0)]
    assert [each.time_ns for each in stage.signals[1:]] == [5, 5, 6]
    assert [each.name for each in stage.exported.events] == ["cache.miss"]


def test_a_mark_that_the_129th_attribute_evicts_is_not_lost(stage: Stage) -> None:
    """The SDK drops the oldest attribute when the span is full; the mark was read at the start."""
    with stage.tracer.start_as_current_span("op", attributes={"analytics.event": "e"}) as span:
        for number in range(128):
            span.set_attribute(f"key{number}", number)
    assert [each.name for each in stage.signals] == ["e"]
    assert stage.exported.dropped_attributes == 1


@pytest.mark.parametrize("is_one_call", [True, False])
@pytest.mark.parametrize("start", [{}, {"analytics.event": "first", "analytics.property.plan": "pro"}])
def test_a_mark_that_is_set_late_is_not_lost_to_128_more(
    start: dict[str, str], stage: Stage, *, is_one_call: bool
) -> None:
    """Whether the span was marked before or not, by one call or by many; what else was evicted is counted."""
    more = {f"key{number}": number for number in range(128)}
    with stage.tracer.start_as_current_span("op", attributes=start) as span:
        span.set_attribute("analytics.event", "late")
        span.set_attribute("analytics.property.late", "yes")
        if is_one_call:
            span.set_attributes(more)
        else:
            for key, value in more.items():
                span.set_attribute(key, value)
    (signal,) = stage.signals
    assert signal.name == "late"
    assert signal.dropped_attributes
    assert signal.attributes.get("analytics.property.plan") == start.get("analytics.property.plan")
    assert dict(stage.exported.attributes or {}) == more


def test_the_last_mark_counts(stage: Stage) -> None:
    """A span that is marked twice is the second event, however many attributes come between or behind."""
    with stage.tracer.start_as_current_span("op") as span:
        for name in ("first", "second"):
            span.set_attribute("analytics.event", name)
            span.set_attributes({f"{name}{number}": number for number in range(130)})
    assert [each.name for each in stage.signals] == ["second"]


def test_the_identity_in_context_at_start_goes_with_the_signal(stage: Stage) -> None:
    """Who acts is known from where the span started, also when it ends elsewhere."""
    with user_context("u1", session_id="s1", groups={"company": "acme"}):
        span = stage.tracer.start_span("op", attributes={"analytics.event": "e"})
    span.end()
    context = stage.signals[0].context
    assert context is not None
    assert (context.user_id, context.session_id, context.groups) == ("u1", "s1", {"company": "acme"})


def test_without_an_identity_at_start_the_one_at_the_end_is_taken(stage: Stage) -> None:
    """A span that began before the user was known is still that user's."""
    span = stage.tracer.start_span("op", attributes={"analytics.event": "e"})
    with user_context("u1"):
        span.end()
    assert stage.signals[0].context is not None
    assert stage.signals[0].context.user_id == "u1"


def test_a_fault_while_reading_still_strips_and_does_not_reach_the_app(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: the event is lost and counted, the operational side stays clean, the app goes on."""
    monkeypatch.setattr(Guard, "reraise", False)

    def broken(_: Signal) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(stage.intake, "_submit", broken)
    stage.tracer.start_span("op", attributes={"analytics.event": "e", "a": 1}).end()
    assert dict(stage.exported.attributes or {}) == {"a": 1}
    assert stage.health.snapshot() == {(FAULT, "span_intake:RuntimeError"): 1}


def test_ended_spans_are_not_kept_alive(stage: Stage) -> None:
    """What was remembered at a span's start goes with the span, ended or not."""
    span = stage.tracer.start_span("op", attributes={"analytics.event": "e"})
    never_ended = stage.tracer.start_span("never ended", attributes={"analytics.event": "e"})
    alive = weakref.ref(span), weakref.ref(never_ended)
    span.end()
    del span, never_ended
    stage.exporter.clear()
    gc.collect()
    assert [each() for each in alive] == [None, None]


def test_user_context_nests_and_ends() -> None:
    """What the inner context leaves out is the outer's; outside there is nobody."""
    from otel_posthog.actor.context import current_identity  # noqa: PLC0415

    with user_context("u1", groups={"a": "1"}), user_context(session_id="s", groups={"b": "2"}, consent=False):
        inside = current_identity()
        assert inside is not None
        assert (inside.user_id, inside.session_id, inside.groups) == ("u1", "s", {"a": "1", "b": "2"})
        assert inside.consent is False
    assert current_identity() is None
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_fault_over_an_attribute_does_not_reach_the_app(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who acts is read inside the app's own call, by either way of setting attributes."""
    monkeypatch.setattr(Guard, "reraise", False)

    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("otel_posthog.intake.processors.seen", broken)
    span = stage.tracer.start_span("op")
    span.set_attribute("user.id", "u-1")
    span.set_attributes({"user.id": "u-2"})
    span.end()
    assert stage.health.snapshot() == {(FAULT, "span_attributes:RuntimeError"): 2}


def test_attributes_are_seen_though_somebody_else_stands_before_them() -> None:
    """Another library that has wrapped the SDK's methods first does not keep who acts from being read."""
    program = """
from functools import wraps
from opentelemetry.sdk.trace import Span, TracerProvider
def wrapped(call):
    @wraps(call)
    def method(*args, **kwargs):
        return call(*args, **kwargs)
    return method
Span.set_attribute, Span.set_attributes = wrapped(Span.set_attribute), wrapped(Span.set_attributes)
from otel_posthog.sdk import see_attributes
seen = []
see_attributes(lambda span, attributes: seen.append(0))
see_attributes(lambda span, attributes: seen.append(dict(attributes)))
span = TracerProvider().get_tracer("t").start_span("n")
span.set_attribute("user.id", "u")
span.set_attributes({"a": 1, "session.id": "s"})
assert seen == [{"user.id": "u"}, {"session.id": "s"}], seen
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


WORDS = ["", "k", "analytics.event", "analytics.property.x", "user.id", "analytics.consent"]
PARTS = ["analytics.", "group.", "set.", "\n", "a", "user.id"]
KEYS = st.sampled_from(WORDS) | st.lists(st.sampled_from(PARTS), max_size=4).map("".join)


class Name(str):
    """A text of another class."""

    __slots__ = ()


@given(st.lists(KEYS | KEYS.map(Name) | st.none() | st.integers() | st.tuples(st.text()) | st.binary(), max_size=6))
def test_a_quick_look_at_keys_misses_none(keys: list[Any]) -> None:
    """What is asked of each span says the same as a look at each key by itself, whatever keys there are."""
    attributes = dict.fromkeys(keys, 1)
    is_product = [isinstance(key, str) and key.startswith("analytics.") for key in attributes]
    assert has_product_attributes(attributes) is any(is_product)
    assert may_keep(attributes) or not any(is_kept(key) for key in attributes)


@pytest.mark.parametrize("key", ["k", "user.id", Name("user.id"), "analytics.group.t", "analytics.group.set.a", 7, []])
def test_what_is_kept_is_seen_by_each_way_of_setting_it(key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of another type is the SDK's to refuse, and one that says nothing is not looked at any further."""
    seen: list[object] = []
    stage = Stage()
    monkeypatch.setattr("otel_posthog.intake.processors.seen", lambda _, attributes: seen.append(attributes))
    span = stage.tracer.start_span("op")
    # An SDK that sets one by way of many has to hash the key first.
    with nullcontext() if key != [] else suppress(TypeError):
        span.set_attribute(key, "v")
    if key != []:
        span.set_attributes({"other": 1, key: "v"})
    span.end()
    assert seen == ([{key: "v"}] * 2 if is_kept(key) else [])
