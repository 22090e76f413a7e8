"""What the SDK's limits evict: product events are kept, and what is lost is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from otel_posthog import sdk
from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, Health
from otel_posthog.intake import SpanExportIntake, SpanIntake
from otel_posthog.model import Signal
from otel_posthog.operational import detach
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser

Names = Callable[..., list[str]]

MARKS = Recogniser(Policy(), is_marked_only=True)


class Stage:
    """A provider with our processor, and after it an exporter of ours and one of the app's.

    Args:
        max_events: Events that a span holds.
    """

    def __init__(self, max_events: int | None = None) -> None:
        self.signals: list[Signal] = []
        self.health, self.exporter = Health(), InMemorySpanExporter()
        guard = Guard(self.health)
        self.provider = TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits(max_events=max_events))
        self.provider.add_span_processor(
            SpanIntake(self.signals.append, detach, guard, flush=lambda _: True, close=lambda: None)
        )
        ours = SpanExportIntake(
            self.signals.append, guard.caught, flush=lambda _: True, close=lambda: None, recogniser=lambda: MARKS
        )
        self.provider.add_span_processor(SimpleSpanProcessor(ours))
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def span(self, *names: str) -> ReadableSpan:
        """Return the ended span, as the app's exporter got it, to which events called `names` were added."""
        with self.provider.get_tracer("test").start_as_current_span("op") as span:
            for number, name in enumerate(names):
                span.add_event(name, {"number": number}, timestamp=7)
        return self.exporter.get_finished_spans()[-1]

    @property
    def numbers(self) -> list[object]:
        """The number of each signal."""
        return [each.attributes["number"] for each in self.signals]


@pytest.fixture
def make_stage() -> Iterator[Callable[..., Stage]]:
    """Makes stages, and shuts them down afterwards."""
    made: list[Stage] = []

    def make(max_events: int | None = None) -> Stage:
        made.append(Stage(max_events))
        return made[-1]

    yield make
    for stage in made:
        stage.provider.shutdown()


def test_evicted_product_events_are_read_in_order_and_once(make_stage: Callable[..., Stage]) -> None:
    """Before those that the span still has, and not again by an exporter of ours behind the processor."""
    stage = make_stage(3)
    exported = stage.span(*["analytics.a", "b"] * 5)
    assert stage.numbers == [0, 2, 4, 6, 8]
    assert [each.repeat_index for each in stage.signals] == [0, 1, 2, 3, 4]
    assert [(each.name, (each.attributes or {})["number"]) for each in exported.events] == [("b", 7), ("b", 9)]
    assert exported.dropped_events == 7


def test_a_span_that_may_hold_no_events_yields_them_all_the_same(make_stage: Callable[..., Stage]) -> None:
    """Also with `OTEL_SPAN_EVENT_COUNT_LIMIT=0` a product event is not lost."""
    stage = make_stage(0)
    exported = stage.span("analytics.a", "b", "analytics.c")
    assert stage.numbers == [0, 2]
    assert list(exported.events) == []


def test_past_a_bound_evicted_events_are_lost_and_counted(
    make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A span that lives for days does not fill the memory."""
    monkeypatch.setattr("otel_posthog.sdk.spans.MAX_EVICTED_EVENTS", 2)
    stage = make_stage(1)
    stage.span(*["analytics.a"] * 6)
    assert stage.numbers == [0, 1, 5]
    assert stage.health.snapshot() == {(DROPPED, "span_events_limit"): 3}


def test_spans_do_not_share_what_was_evicted(make_stage: Callable[..., Stage]) -> None:
    """Each span keeps its own."""
    stage = make_stage(1)
    stage.span("analytics.a", "b")
    stage.span("b", "b")
    stage.span("b", "analytics.c")
    assert stage.numbers == [0, 1]


def test_a_span_event_like_its_span_is_another_event(make_stage: Callable[..., Stage]) -> None:
    """The same name at the same time is a repeat, so that it has a uuid of its own."""
    stage = make_stage()
    span = stage.provider.get_tracer("test").start_span("op", attributes={"analytics.event": "a"})
    span.add_event("analytics.a", timestamp=9)
    span.end(end_time=9)
    assert [(each.source.value, each.repeat_index) for each in stage.signals] == [("span", 0), ("span_event", 1)]


@pytest.mark.parametrize("name", [None, 5, b"analytics.a"])
def test_a_name_that_is_no_text_raises_nothing_into_the_app(name: object, make_stage: Callable[..., Stage]) -> None:
    """Neither when it is evicted nor when the span ends."""
    stage = make_stage(1)
    stage.span(name, "analytics.b")  # type: ignore[arg-type]
    assert stage.numbers == [1]


def test_an_sdk_that_keeps_events_elsewhere_is_left_alone() -> None:
    """Evicted ones are then lost, as they are for everybody; nothing fails."""

    class Elsewhere:
        _events = ()
        kind, parent, attributes = SpanKind.CLIENT, None, {"plain": 1}

    span = Elsewhere()
    found = sdk.span_start(span, sdk.EvictedEvents)  # type: ignore[arg-type]
    assert found == (SpanKind.CLIENT, None, {"plain": 1})
    assert not sdk.is_plain(span)  # type: ignore[arg-type]
    assert sdk.forget_evicted_events(span) == 0  # type: ignore[arg-type]
