"""What the product filter takes out of an event, the operational side takes out of telemetry, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from planted_values import LOOK_ALIKES, MAKERS, in_text

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import Receipt
from otel_posthog.operational import (
    RedactingLogRecordExporter,
    RedactingMetricExporter,
    RedactingSpanExporter,
    Redactor,
)
from otel_posthog.policy import OperationalPolicy, PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink

FILTER = Filter(PrivacyPolicy())
GUARD = Guard(Health())
EACH = 3


def _values() -> dict[str, str]:
    """Return values of every class, planted and harmless, by a key that says nothing: `kterces` is no secret."""
    dice = Random("operational parity")
    made = {
        f"k{name[::-1]}.n{number}": in_text(name, make(dice)) for name, make in MAKERS.items() for number in range(EACH)
    }
    return made | {f"h{name}.n{number}": make(dice) for name, make in LOOK_ALIKES.items() for number in range(EACH)}


VALUES = _values()
EXPECTED = {key: FILTER.properties({"k": value}, Receipt())["k"] for key, value in VALUES.items()}


@pytest.fixture(scope="module")
def sink() -> Iterator[OtlpSink]:
    """Return a receiver that got every value in every place of a span, a log record and a metric."""
    redactor = Redactor(OperationalPolicy(), FILTER, GUARD)
    resource = Resource({**VALUES, "service.name": "parity"})
    with OtlpSink() as started:
        _emit_spans(started.url, resource, redactor)
        _emit_logs(started.url, resource, redactor)
        _emit_metrics(started.url, resource, redactor)
        yield started


def _emit_spans(url: str, resource: Resource, redactor: Redactor) -> None:
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = RedactingSpanExporter(OTLPSpanExporter(endpoint=f"{url}/v1/traces"), redactor, GUARD)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("parity")
    for key, value in VALUES.items():
        link = trace.Link(trace.SpanContext(1, 2, is_remote=True), {key: value})
        span = tracer.start_span(value, attributes={key: value, "list": [value]}, links=[link])
        span.add_event(value, {key: value})
        span.set_status(trace.StatusCode.ERROR, value)
        span.end()
    provider.shutdown()


def _emit_logs(url: str, resource: Resource, redactor: Redactor) -> None:
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    exporter = RedactingLogRecordExporter(OTLPLogExporter(endpoint=f"{url}/v1/logs"), redactor, GUARD)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("parity")
    for key, value in VALUES.items():
        logger.emit(LogRecord(timestamp=1, body=value, attributes={key: value}))
        logger.emit(LogRecord(timestamp=1, body={"map": {key: [value]}}))
    provider.shutdown()


def _emit_metrics(url: str, resource: Resource, redactor: Redactor) -> None:
    exporter = RedactingMetricExporter(OTLPMetricExporter(endpoint=f"{url}/v1/metrics"), redactor, GUARD)
    provider = MeterProvider(
        [PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)], resource, shutdown_on_exit=False
    )
    counter = provider.get_meter("parity").create_counter("seen")
    for key, value in VALUES.items():
        counter.add(1, {key: value})
    provider.shutdown()


def _merged(maps: Any) -> dict[str, Any]:
    return {key: value for each in maps for key, value in each.items() if key in VALUES}


def test_spans_are_judged_as_events_are(sink: OtlpSink) -> None:
    """Attributes, events, links, names and status messages of spans get the product filter's verdicts."""
    assert _merged(span.attributes for span in sink.spans) == EXPECTED
    assert _merged(attributes for span in sink.spans for _, attributes in span.events) == EXPECTED
    assert _merged(link for span in sink.spans for link in span.links) == EXPECTED
    shown = sorted(map(str, EXPECTED.values()))
    assert sorted(span.name for span in sink.spans) == shown
    assert sorted(span.status_message for span in sink.spans) == shown
    assert sorted(name for span in sink.spans for name, _ in span.events) == shown
    assert sorted(span.attributes["list"][0] for span in sink.spans) == shown


def test_logs_are_judged_as_events_are(sink: OtlpSink) -> None:
    """Attributes and bodies of log records, as text and as map, get the same verdicts."""
    assert _merged(log.attributes for log in sink.logs) == EXPECTED
    texts = [log.body for log in sink.logs if isinstance(log.body, str)]
    assert sorted(texts) == sorted(map(str, EXPECTED.values()))
    maps = _merged(log.body["map"] for log in sink.logs if isinstance(log.body, dict))
    assert maps == {key: [value] for key, value in EXPECTED.items()}


def test_metrics_and_resources_are_judged_as_events_are(sink: OtlpSink) -> None:
    """Attributes of points and of the resource of every signal get the same verdicts."""
    assert _merged(attributes for metric in sink.metrics for attributes, _ in metric.points) == EXPECTED
    for items in (sink.spans, sink.logs, sink.metrics):
        assert _merged(each.resource for each in items) == EXPECTED
