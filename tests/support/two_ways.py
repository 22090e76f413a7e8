"""One app's telemetry, sent by the package's operational exporters, or by plain ones; and requests to compare.

What both exporters send must be equal once a filter has seen what the plain ones sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import TraceState
from planted_values import LOOK_ALIKES, MAKERS, in_text

from otel_posthog.errors import Guard
from otel_posthog.operational import (
    RedactingLogRecordExporter,
    RedactingMetricExporter,
    RedactingSpanExporter,
    Redactor,
)
from otel_posthog.testing.server import RecordedRequest

TIME_NS = 1_790_000_000_000_000_000
REQUESTS: dict[str, Any] = {
    "/v1/traces": (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans"),
    "/v1/logs": (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records"),
    "/v1/metrics": (ExportMetricsServiceRequest, "resource_metrics", "scope_metrics", "metrics"),
}
_TELEMETRY_RESOURCE = {"service.name": "two-ways", "user.id": "u-1", "host.name": "ada@example.com"}


def values() -> dict[str, Any]:
    """Return values of every class, harmless ones, and of every type, by keys that say nothing or all."""
    dice = Random("two ways")
    found: dict[str, Any] = {f"k{name[::-1]}": in_text(name, make(dice)) for name, make in MAKERS.items()}
    found |= {f"h{name}": make(dice) for name, make in LOOK_ALIKES.items()}
    return found | {
        "ratio": 0.12345678901234567, "nan": math.nan, "infinity": math.inf, "epoch": 1_790_000_000_123,
        "card": 4111111111111111, "cards": [7, 4111111111111111, 8], "as double": 4111111111111111.0,
        "phone": 4915123456789, "pins": [1234, 123456], "pin": {"a": 1}, "place": [48.137154, 11.576124],
        "otp": [True, False], "yes": True, "email_sent": True, "pin.count": 3, "empty": "",
        "texts": ["a", "ada@example.com"], "numbers": [1, 2, 3], "password": "hunter2secret", "user_id": "u-12345678",
        "user.id": "u-1", "enduser.id": "e-1", "session.id": "s-1", "userId": "u-2", "lat": 48.137154,
        "lon": 11.576124, "http.route": "/user/<username>", "url.path": "/user/ada", "analytics.note": "x",
        "bytes": b"raw \xff ada@example.com", "ada@example.com": 1, "cmd": ("run", "--password", "hunter2"),
        "json": '{"password": "hunter2secret", "n": 1}',
    }  # fmt: skip


_SAMPLED = trace.TraceFlags(trace.TraceFlags.SAMPLED)
_NESTED: dict[str, Any] = {
    "list": ("a", 1, "ada@example.com"),
    "map": {
        "to": "ada@example.com",
        "n": 1,
        "nan": math.nan,
        "user.id": "u-1",
        "deep": {"password": "x", "ok": (1, 2)},
    },
    "both": {"lat": 48.137154, "lon": 11.576124},
    "ada@example.com": "in a key",
}


class _Ids(RandomIdGenerator):
    """The same ids for both ways."""

    def __init__(self) -> None:
        self._dice = Random("ids")

    def generate_span_id(self) -> int:
        return self._dice.getrandbits(64)

    def generate_trace_id(self) -> int:
        return self._dice.getrandbits(128)


def emit(url: str, redactor: Redactor | None, guard: Guard) -> None:
    """Send the app's telemetry to `url`, through `redactor` where there is one."""
    _spans(url, redactor, guard)
    _logs(url, redactor, guard)
    _metrics(url, redactor, guard)


def _resource() -> Resource:
    return Resource(_TELEMETRY_RESOURCE | {"texts": ["ada@example.com", "b"]}, "https://example.com/ada@example.com")


def _spans(url: str, redactor: Redactor | None, guard: Guard) -> None:
    inner = OTLPSpanExporter(endpoint=f"{url}/v1/traces")
    exporter = inner if redactor is None else RedactingSpanExporter(inner, redactor, guard)
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False, id_generator=_Ids())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    scoped: dict[str, Any] = {"of": "ada@example.com", "n": 1}
    tracer = provider.get_tracer("two ways", "1.2", "https://example.com/1.2", scoped)
    state = TraceState([("a", "1"), ("b", "ada@example.com")])
    for number, (key, value) in enumerate(values().items()):
        shown = str(value)
        context = trace.SpanContext(number + 1, 2, is_remote=True, trace_flags=_SAMPLED, trace_state=state)
        link = trace.Link(context, {key: value, "otel_posthog.links_redacted": True})
        parent = trace.set_span_in_context(trace.NonRecordingSpan(context))
        span = tracer.start_span(
            shown,
            parent if number % 2 else None,
            attributes={key: value},
            links=[link] * (number % 2),
            start_time=TIME_NS,
        )
        span.add_event(shown, {key: value}, TIME_NS)
        span.add_event("exception", {"exception.type": "E", "exception.message": shown}, TIME_NS)
        span.add_event("analytics.seen", {key: value}, TIME_NS)
        span.set_status(trace.StatusCode.ERROR, shown)
        span.end(TIME_NS + 1)
    tracer.start_span("all", attributes=values(), start_time=TIME_NS).end(TIME_NS + 1)
    provider.shutdown()


def _logs(url: str, redactor: Redactor | None, guard: Guard) -> None:
    inner = OTLPLogExporter(endpoint=f"{url}/v1/logs")
    exporter = inner if redactor is None else RedactingLogRecordExporter(inner, redactor, guard)
    provider = LoggerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("two ways", "1.2", "https://example.com/1.2", {"of": "ada@example.com"})
    for key, value in values().items():
        bodies = (value, {key: value, "in": {key: (value, value)}})
        for body in bodies:
            record: dict[str, Any] = {"timestamp": TIME_NS, "observed_timestamp": TIME_NS + 1}
            record["severity_number"] = SeverityNumber.WARN
            attributes = {key: value, "map": {key: value}}
            logger.emit(LogRecord(body=body, severity_text=str(value), attributes=attributes, **record))
    of_all: tuple[Any, ...] = ("text", None, "", _NESTED)
    added: tuple[dict[str, Any], ...] = ({"analytics.event": "e"}, {"exception.type": "E"}, _NESTED, {})
    for body in of_all:
        for more in added:
            logger.emit(LogRecord(timestamp=TIME_NS, observed_timestamp=1, body=body, attributes=more))
        logger.emit(LogRecord(timestamp=TIME_NS, observed_timestamp=1, body=body, event_name="analytics.e"))
        logger.emit(LogRecord(timestamp=TIME_NS, observed_timestamp=1, body=body, event_name="ada@example.com"))
    provider.shutdown()


def _metrics(url: str, redactor: Redactor | None, guard: Guard) -> None:
    delta = AggregationTemporality.DELTA
    chosen: tuple[dict[type, AggregationTemporality], ...] = ({}, {Counter: delta, Histogram: delta})
    for temporality in chosen:
        inner = OTLPMetricExporter(endpoint=f"{url}/v1/metrics", preferred_temporality=temporality)
        exporter = inner if redactor is None else RedactingMetricExporter(inner, redactor, guard)
        views = [View(instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation())]
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        provider = MeterProvider([reader], _resource(), views=views, shutdown_on_exit=False)
        for name in ("two ways", "of ada@example.com", "of bob@example.com"):
            _instruments(provider.get_meter(name, "1.2", "https://example.com/1.2", {"of": "ada@example.com"}))
        provider.shutdown()


def _instruments(meter: Any) -> None:
    def observed(_: CallbackOptions) -> Iterator[Observation]:
        yield from (Observation(number, {"customer": name, "user.id": name}) for number, name in enumerate(_USERS))

    meter.create_observable_counter("observed", [observed], unit="[USD]")
    meter.create_observable_gauge("observed_gauge", [observed])
    counter = meter.create_counter("counter", "ada@example.com", "of ada@example.com")
    up_down, gauge = meter.create_up_down_counter("up_down"), meter.create_gauge("gauge")
    explicit, exponential = meter.create_histogram("explicit"), meter.create_histogram("exponential")
    for number, user in enumerate(_USERS, 3):
        attributes = {"user.id": user, "plan": "pro", "n": number % 2}
        counter.add(number, attributes)
        counter.add(0.5, attributes)
        up_down.add(-number, attributes)
        gauge.set(number, attributes)
        for value in (0.001, number, 1000 * number):
            explicit.record(value, attributes)
            exponential.record(value, attributes)
    for key, value in values().items():
        if not isinstance(value, (bytes, dict)):
            # Older SDKs count by a set of the attributes, which a list cannot be in.
            counter.add(1, {key: tuple(value) if isinstance(value, list) else value, "kept": key})


_USERS = ("ada@example.com", "bob@example.com", "eve@example.com")


def flattened(requests: Iterable[RecordedRequest | tuple[str, bytes]]) -> dict[str, list[bytes]]:
    """Return what was sent, by path: each item with its resource and scope, sorted."""
    found: dict[str, list[bytes]] = {path: [] for path in REQUESTS}
    for path, body in ((each.path, each.body) if isinstance(each, RecordedRequest) else each for each in requests):
        made, holders, scopes, items = REQUESTS[path]
        for holder in getattr(made.FromString(body), holders):
            for scope in getattr(holder, scopes):
                for item in getattr(scope, items):
                    _without_clock(item)
                    _without_empty_body(item)
                    one = made()
                    of = getattr(one, holders).add(schema_url=holder.schema_url, resource=holder.resource)
                    within = getattr(of, scopes).add(schema_url=scope.schema_url, scope=scope.scope)
                    getattr(within, items).append(item)
                    found[path].append(one.SerializeToString(deterministic=True))
    return {path: sorted(each) for path, each in found.items()}


def _without_empty_body(item: Any) -> None:
    """Leave out a body that holds nothing, as some SDKs do."""
    if hasattr(item, "body") and not item.body.WhichOneof("value"):
        item.ClearField("body")


def _without_clock(item: Any) -> None:
    """Take off what the clock said, which is another time for each run."""
    kind = item.WhichOneof("data") if hasattr(item, "metadata") else None
    for point in getattr(item, kind).data_points if kind else ():
        point.start_time_unix_nano, point.time_unix_nano = min(1, point.start_time_unix_nano), 2
        for exemplar in point.exemplars:
            exemplar.time_unix_nano = 3
