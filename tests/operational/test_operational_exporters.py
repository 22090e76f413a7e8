"""The wrapped exporters, fed by the real SDK."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from stand_in import redactor

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import RedactingLogRecordExporter, RedactingMetricExporter, RedactingSpanExporter

RESOURCE = Resource({"service.name": "x", "owner": "SECRET"})
GUARD = Guard(Health())


def exported_spans(exporter: InMemorySpanExporter) -> TracerProvider:
    """Return a provider whose spans go to `exporter` through the wrapper."""
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(RedactingSpanExporter(exporter, redactor(), GUARD)))
    return provider


def test_every_field_of_a_span_is_redacted_and_ids_and_times_are_not() -> None:
    """Name, attributes, events, links, status, resource and scope; what makes up the trace stays."""
    exporter = InMemorySpanExporter()
    provider = exported_spans(exporter)
    tracer = provider.get_tracer("lib", attributes={"who": "SECRET"})
    link = trace.Link(trace.SpanContext(1, 2, is_remote=True), {"l": "SECRET"})
    span = tracer.start_span("GET SECRET", attributes={"a": "SECRET", "user.id": "u"}, links=[link])
    span.add_event("SECRET", {"e": "SECRET"})
    span.add_event("analytics.viewed", {"e": 1})
    span.set_status(trace.StatusCode.ERROR, "failed for SECRET")
    span.end()
    (clean,) = exporter.get_finished_spans()
    assert "SECRET" not in clean.to_json()
    assert "analytics" not in clean.to_json()
    assert (clean.name, clean.status.description) == ("GET [x]", "failed for [x]")
    assert clean.status.status_code is trace.StatusCode.ERROR
    assert dict(clean.attributes or {}) == {"a": "[x]", "otel_posthog.links_redacted": True}
    assert [(each.name, dict(each.attributes or {})) for each in clean.events] == [("[x]", {"e": "[x]"})]
    assert dict(clean.links[0].attributes or {}) == {"l": "[x]"}
    assert dict(clean.instrumentation_scope.attributes or {}) == {"who": "[x]"}  # type: ignore[union-attr]
    assert (clean.context, clean.start_time, clean.end_time) == (span.get_span_context(), *_times(span))
    # The live span is shared with every other processor: it must not have changed.
    assert span.attributes["a"] == "SECRET"  # type: ignore[attr-defined]
    provider.shutdown()


def _times(span: Any) -> tuple[int, int]:
    return span.start_time, span.end_time


def test_a_span_with_nothing_to_take_out_is_handed_on_as_it_is() -> None:
    """The usual case copies nothing but who holds it: the resource says that it has been through here."""
    seen: list[Any] = []

    class Inner(InMemorySpanExporter):
        def export(self, spans: Any) -> Any:
            seen.extend(spans)
            return super().export(spans)

    wrapper = RedactingSpanExporter(Inner(), redactor(), GUARD)
    provider = TracerProvider(resource=Resource({"service.name": "x"}), shutdown_on_exit=False)
    processor = SimpleSpanProcessor(InMemorySpanExporter())
    provider.add_span_processor(processor)
    span = provider.get_tracer("t").start_span("op", attributes={"a": 1})
    span.add_event("e", {"b": 2})
    span.end()
    (ended,) = processor.span_exporter.get_finished_spans()  # type: ignore[attr-defined]
    wrapper.export([ended])
    for name, value in vars(ended).items():
        assert name == "_resource" or vars(seen[0])[name] is value
    assert dict(seen[0].resource.attributes) == {"service.name": "x", "otel_posthog.processed": True}
    assert dict(ended.resource.attributes) == {"service.name": "x"}
    provider.shutdown()


def test_a_span_that_cannot_be_redacted_goes_on_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never withheld, never unfiltered: its ids go on, nothing else does."""
    monkeypatch.setattr(Guard, "reraise", False)
    exporter = InMemorySpanExporter()
    wrapper = RedactingSpanExporter(exporter, redactor(), GUARD)
    monkeypatch.setattr(wrapper, "_redacted", lambda _: 1 / 0)
    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(wrapper))
    provider.get_tracer("t").start_span("SECRET", attributes={"a": "SECRET"}).end()
    (clean,) = exporter.get_finished_spans()
    assert "SECRET" not in clean.to_json()
    assert clean.context.span_id
    provider.shutdown()


def test_product_only_log_records_are_withheld_and_the_rest_is_redacted() -> None:
    """A log-based product event is not for Loki; a log line that is one as well stays a log line."""
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    wrapper = RedactingLogRecordExporter(exporter, redactor(), GUARD)
    provider.add_log_record_processor(SimpleLogRecordProcessor(wrapper))
    logger = provider.get_logger("lib")
    logger.emit(event_name="analytics.signed_up", body="a body changes nothing")
    logger.emit(attributes={"analytics.event": "e"})
    logger.emit(body="both SECRET", attributes={"analytics.event": "e", "analytics.n": 1, "a": "SECRET", "b": 1})
    logger.emit(body={"k": "v"}, event_name="app.SECRET")
    kept = [item.log_record for item in exporter.get_finished_logs()]
    assert [each.body for each in kept] == ["both [x]", {"k": "v"}]
    assert dict(kept[0].attributes or {}) == {"a": "[x]", "b": 1}
    assert kept[1].event_name == "app.[x]"
    assert "SECRET" not in "".join(item.to_json() for item in exporter.get_finished_logs())
    provider.shutdown()


def test_exceptions_bear_a_mark_that_they_are_decided_about() -> None:
    """A gateway behind this app makes no second event of them, whether the app's user wanted a first or not."""
    exporter, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    span = exported_spans(exporter).get_tracer("lib").start_span("op")
    span.record_exception(KeyError("k"))
    span.add_event("step", {"a": 1})
    span.end()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(RedactingLogRecordExporter(logs, redactor(), GUARD)))
    provider.get_logger("lib").emit(body="failed", attributes={"exception.type": "KeyError"})
    provider.get_logger("lib").emit(body="fine", attributes={"a": 1})
    (clean,) = exporter.get_finished_spans()
    items: list[Any] = [*clean.events, *(each.log_record for each in logs.get_finished_logs())]
    assert ["otel_posthog.processed" in (each.attributes or {}) for each in items] == [True, False, True, False]


class Recording(MetricExporter):
    """Keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(preferred_temporality={})
        self.last: MetricsData | None = None

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Keep `metrics_data`."""
        self.last = metrics_data
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Do nothing."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Do nothing."""

    def points(self) -> dict[str, list[Any]]:
        """Return the data points by metric name."""
        assert self.last is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in self.last.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def metrics() -> tuple[Recording, MeterProvider]:
    """A recording exporter behind the wrapper, and the provider that feeds it."""
    exporter = Recording()
    reader = PeriodicExportingMetricReader(
        RedactingMetricExporter(exporter, redactor(), GUARD), export_interval_millis=float("inf")
    )
    return exporter, MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)


def test_series_that_became_one_are_merged(metrics: tuple[Recording, MeterProvider]) -> None:
    """Counters and histograms of redacted series add up; a gauge keeps its latest value; others are untouched."""
    exporter, provider = metrics
    meter = provider.get_meter("m")
    counter, histogram, gauge = meter.create_counter("c"), meter.create_histogram("h"), meter.create_gauge("g")
    for number, who in enumerate(("SECRET", "SECRETSECRET", "nobody")):
        counter.add(number + 1, {"user.email": who, "kind": "a"})
        histogram.record(number + 1, {"user.email": who})
        gauge.set(number, {"user.email": who})
    counter.add(10, {"kind": "b"})
    provider.force_flush()
    points = exporter.points()
    assert {(tuple(point.attributes.items()), point.value) for point in points["c"]} == {
        ((("kind", "a"),), 6),
        ((("kind", "b"),), 10),
    }
    (merged,) = points["h"]
    assert (merged.count, merged.sum, merged.min, merged.max, sum(merged.bucket_counts)) == (3, 6, 1, 3, 3)
    assert [point.value for point in points["g"]] == [2]
    assert exporter.last is not None
    assert "SECRET" not in exporter.last.to_json()
    provider.shutdown()


def test_the_wrapper_prefers_what_the_inner_exporter_prefers() -> None:
    """Delta temporality asked for by the backend's exporter is kept."""
    inner = Recording()
    inner._preferred_temporality = {type(None): AggregationTemporality.DELTA}
    assert RedactingMetricExporter(inner, redactor(), GUARD)._preferred_temporality is inner._preferred_temporality


def test_flush_and_shutdown_reach_the_inner_exporter() -> None:
    """A wrapper hides nothing of the exporter's life, and hands the SDK's time limit on where it is understood."""
    calls: list[tuple[str, object]] = []

    class Inner(InMemorySpanExporter):
        def shutdown(self, timeout_millis: float = 0) -> None:
            calls.append(("shutdown", timeout_millis))

        def force_flush(self, timeout_millis: int = 0) -> bool:
            calls.append(("flush", timeout_millis))
            return True

    wrapper = RedactingSpanExporter(Inner(), redactor(), GUARD)
    assert wrapper.force_flush(5)
    wrapper.shutdown(7)
    wrapper.shutdown()
    logs = RedactingLogRecordExporter(InMemoryLogRecordExporter(), redactor(), GUARD)  # type: ignore[no-untyped-call]
    assert logs.force_flush()
    logs.shutdown(3)
    assert calls == [("flush", 5), ("shutdown", 7), ("shutdown", 0)]


@pytest.mark.parametrize("failing", ["attributes", "text", "marked_resource", "scope", "keeps_state"])
def test_a_span_that_cannot_be_redacted_goes_on_as_an_empty_one_that_bears_the_mark(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails: nothing of the span, its state, its scope or its resource is told; ids and times are."""
    monkeypatch.setattr(Guard, "reraise", False)
    health, filter_, exporter = Health(), redactor(), InMemorySpanExporter()

    def fail(*_: object) -> object:
        raise RuntimeError

    monkeypatch.setattr(filter_, failing, fail)
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(RedactingSpanExporter(exporter, filter_, Guard(health))))
    state = trace.TraceState([("a", "SECRET")])
    parent = trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1), trace_state=state)
    span = provider.get_tracer("SECRET", attributes={"who": "SECRET"}).start_span(
        "GET SECRET", trace.set_span_in_context(trace.NonRecordingSpan(parent)), attributes={"a": "SECRET"}
    )
    span.set_status(trace.StatusCode.ERROR, "failed for SECRET")
    span.end()
    (clean,) = exporter.get_finished_spans()
    assert "SECRET" not in clean.to_json()
    scope = clean.instrumentation_scope
    assert scope is None or "SECRET" not in f"{scope.name} {scope.attributes}"
    assert clean.resource.attributes["otel_posthog.processed"] is True
    assert (clean.name, dict(clean.attributes or {}), clean.status.description) == ("[redacted]", {}, None)
    assert clean.context is not None
    assert not clean.context.trace_state
    given = span.get_span_context()
    assert (clean.context.trace_id, clean.context.span_id) == (given.trace_id, given.span_id)
    assert _times(clean) == _times(span)
    assert any(name.startswith("redact_span") for _, name in health.snapshot())
