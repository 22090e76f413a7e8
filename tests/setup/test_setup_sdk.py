"""The private names of the SDK that this package reaches for: this fails when a release moves one."""

from __future__ import annotations

from opentelemetry import context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    ConsoleLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Sampler

from otel_posthog import AnalyticsSampler, sdk


def test_an_ending_span_can_still_be_changed() -> None:
    """`_on_ending` comes before every `on_end`, and what it replaces is what every processor gets."""
    seen: list[tuple[dict[str, object], list[str], int, int]] = []

    class First(sdk.EndingSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            names = [each.name for each in span.events]
            seen.append((dict(span.attributes or {}), names, span.dropped_attributes, span.dropped_events))

    class Second(sdk.EndingSpanProcessor):
        def on_ending(self, span: Span) -> None:
            sdk.replace_attributes(span, {"kept": 1})
            sdk.replace_events(span, [each for each in span.events if each.name == "kept"])

    provider = TracerProvider(shutdown_on_exit=False)
    for each in (First(), Second()):
        provider.add_span_processor(each)
    span = provider.get_tracer("t").start_span("n", attributes={f"k{n}": n for n in range(130)})
    for name in ["kept", *["gone"] * 128]:
        span.add_event(name)
    span.add_event("kept")
    span.end()
    assert seen == [({"kept": 1}, ["kept"], 2, 2)]


def test_a_sampler_is_rewired_for_tracers_made_before() -> None:
    """A tracer keeps the sampler it was made with unless it is told."""
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    early = provider.get_tracer("early")
    made: list[Sampler] = []

    def wrap(inner: Sampler) -> Sampler:
        made.append(AnalyticsSampler(inner))
        return made[0]

    sdk.rewire_sampler(provider, wrap)
    assert early.sampler is made[0]  # type: ignore[attr-defined]
    assert provider.get_tracer("late").sampler is made[0]  # type: ignore[attr-defined]


def test_every_exporter_that_the_sdk_holds_can_be_wrapped() -> None:
    """Batch and simple processors, for spans and logs."""
    traces, logs = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    traces.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
    traces.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    logs.add_log_record_processor(BatchLogRecordProcessor(ConsoleLogRecordExporter()))
    logs.add_log_record_processor(SimpleLogRecordProcessor(ConsoleLogRecordExporter()))
    holders = [*(sdk.span_processors(traces) or ()), *(sdk.log_processors(logs) or ())]
    assert len(holders) == 4
    wrapped: list[object] = []
    for holder in holders:
        assert sdk.wrap_exporter(holder, lambda inner: wrapped.append(inner) or inner, print)  # type: ignore[func-returns-value]
    assert len(wrapped) == 4
    assert not sdk.wrap_exporter(object(), lambda inner: inner, print)
    for provider in (traces, logs):
        provider.shutdown()


def test_every_metric_reader_can_be_wrapped() -> None:
    """What a reader gets passes through us, whether it pushes or is asked; None keeps it from getting anything."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("m").create_counter("c").add(1)
    assert sdk.metric_readers(provider) == (reader,)
    answers: list[object] = [MetricsData([]), None]
    assert sdk.wrap_reader(reader, lambda _: answers.pop(0))
    assert reader.get_metrics_data() == MetricsData([])
    assert reader.get_metrics_data() is None
    assert not sdk.wrap_reader(object(), lambda given: given)
    provider.shutdown()


def test_instrumentation_is_suppressed_inside_and_only_there() -> None:
    """The key is the one that the SDK's own exporters set."""
    key = context._SUPPRESS_INSTRUMENTATION_KEY
    with sdk.suppressed_instrumentation():
        assert context.get_value(key) is True
    assert context.get_value(key) is None


def test_an_event_is_seen_as_it_is_added_to_a_span() -> None:
    """Also one that the SDK adds itself; the span has what it would have without us."""
    seen: list[tuple[str, object, bool]] = []
    sdk.see_events(lambda _, name, attributes, time_ns: seen.append((name, attributes, time_ns > 0)))
    try:
        span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("n")
        span.add_event("a", {"k": 1})
        span.add_event(name="b", timestamp=5)
        span.record_exception(ValueError())
        span.end()
        assert [name for name, *_ in seen] == ["a", "b", "exception"]
        assert seen[0] == ("a", {"k": 1}, True)
        assert isinstance(span, ReadableSpan)
        assert [(each.name, dict(each.attributes or {})) for each in span.events][:2] == [("a", {"k": 1}), ("b", {})]
        assert span.events[1].timestamp == 5
    finally:
        sdk.see_events(lambda *_: None)
