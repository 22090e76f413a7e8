"""Requests with one text in one field of OTLP, for each field that has texts; and what arrives of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

TIME_NS = 1_790_000_000_000_000_000
Plant = Callable[[Any, Any, Any, str], None]
"""Gets a group (of one resource), its scope's group and its item."""


def _text(attributes: Any, value: str, key: str = "note") -> None:
    attributes.add(key=key).value.string_value = value


def _in_map(attributes: Any, value: str) -> None:
    inner = attributes.add(key="map").value.kvlist_value.values.add(key="inner").value.kvlist_value
    _text(inner.values, value, "deep")


def _beside_nan(attributes: Any, value: str) -> None:
    beside = attributes.add(key="map").value.kvlist_value
    beside.values.add(key="a").value.double_value = float("nan")
    _text(beside.values, value, "to")


def _beside_infinity(attributes: Any, value: str) -> None:
    items = attributes.add(key="items").value.array_value
    items.values.add(double_value=float("inf"))
    items.values.add(string_value=value)


def _bytes_in_list(attributes: Any, value: str) -> None:
    items = attributes.add(key="my.items").value.array_value.values
    items.add(string_value="shop")
    items.add().array_value.values.add(bytes_value=value.encode())


def _bytes_in_map(attributes: Any, value: str) -> None:
    inner = attributes.add(key="map").value.kvlist_value.values.add(key="inner").value.kvlist_value
    inner.values.add(key="deep").value.bytes_value = value.encode()


def _as_key_of_map(attributes: Any, value: str) -> None:
    attributes.add(key="map").value.kvlist_value.values.add(key=value).value.bool_value = True


def _attributes(name: str, of: Callable[[Any, Any, Any], Any]) -> dict[str, Plant]:
    return {
        f"{name}: a text": lambda g, s, i, value: _text(of(g, s, i), value),
        f"{name}: in a list": lambda g, s, i, value: (
            of(g, s, i).add(key="items").value.array_value.values.add(string_value=value)
        ),
        f"{name}: in a map": lambda g, s, i, value: _in_map(of(g, s, i), value),
        f"{name}: in a map with a NaN": lambda g, s, i, value: _beside_nan(of(g, s, i), value),
        f"{name}: in a list with an infinity": lambda g, s, i, value: _beside_infinity(of(g, s, i), value),
        f"{name}: bytes in a list": lambda g, s, i, value: _bytes_in_list(of(g, s, i), value),
        f"{name}: bytes in a map": lambda g, s, i, value: _bytes_in_map(of(g, s, i), value),
        f"{name}: a key": lambda g, s, i, value: _text(of(g, s, i), "x", value),
        f"{name}: a key in a map": lambda g, s, i, value: _as_key_of_map(of(g, s, i), value),
        f"{name}: bytes": lambda g, s, i, value: setattr(
            of(g, s, i).add(key="raw").value, "bytes_value", value.encode()
        ),
    }


def _around() -> dict[str, Plant]:
    return {
        **_attributes("resource", lambda g, s, i: g.resource.attributes),
        **_attributes("scope", lambda g, s, i: s.scope.attributes),
        "scope: name": lambda g, s, i, value: setattr(s.scope, "name", value),
        "scope: version": lambda g, s, i, value: setattr(s.scope, "version", value),
        "resource: schema_url": lambda g, s, i, value: setattr(g, "schema_url", value),
        "scope: schema_url": lambda g, s, i, value: setattr(s, "schema_url", value),
    }


TRACES: dict[str, Plant] = {
    **_around(),
    **_attributes("span", lambda g, s, i: i.attributes),
    **_attributes("span event", lambda g, s, i: i.events.add(name="e").attributes),
    "span: name": lambda g, s, i, value: setattr(i, "name", value),
    "span: status message": lambda g, s, i, value: setattr(i.status, "message", value),
    "span: trace_state": lambda g, s, i, value: setattr(i, "trace_state", value),
    "span event: name": lambda g, s, i, value: i.events.add(name=value),
    "span link: an attribute": lambda g, s, i, value: _text(
        i.links.add(trace_id=b"l" * 16, span_id=b"l" * 8).attributes, value
    ),
    "span link: trace_state": lambda g, s, i, value: i.links.add(
        trace_id=b"l" * 16, span_id=b"l" * 8, trace_state=value
    ),
    "span link: of a span that says they are redacted": lambda g, s, i, value: _marked(i, value),
}


def _marked(span: Any, value: str) -> None:
    span.attributes.add(key="otel_posthog.links_redacted").value.bool_value = True
    _text(span.links.add(trace_id=b"l" * 16, span_id=b"l" * 8).attributes, value)


def _body_map(record: Any, value: str) -> None:
    _text(record.body.kvlist_value.values, value, "note")


LOGS: dict[str, Plant] = {
    **_around(),
    **_attributes("log", lambda g, s, i: i.attributes),
    **_attributes("log body", lambda g, s, i: i.body.kvlist_value.values),
    "log body: text": lambda g, s, i, value: setattr(i.body, "string_value", value),
    "log body: bytes": lambda g, s, i, value: setattr(i.body, "bytes_value", value.encode()),
    "log body: list": lambda g, s, i, value: i.body.array_value.values.add(string_value=value),
    "log body: list of bytes": lambda g, s, i, value: i.body.array_value.values.add(bytes_value=value.encode()),
    "log: event_name": lambda g, s, i, value: setattr(i, "event_name", value),
    "log: severity_text": lambda g, s, i, value: setattr(i, "severity_text", value),
}


def _point(metric: Any) -> Any:
    return metric.sum.data_points[0]


METRICS: dict[str, Plant] = {
    **_around(),
    **_attributes("metric point", lambda g, s, i: _point(i).attributes),
    **_attributes(
        "exemplar", lambda g, s, i: _point(i).exemplars.add(as_int=1, time_unix_nano=TIME_NS).filtered_attributes
    ),
    **_attributes("metric metadata", lambda g, s, i: i.metadata),
    "metric: name": lambda g, s, i, value: setattr(i, "name", value),
    "metric: unit": lambda g, s, i, value: setattr(i, "unit", value),
    "metric: description": lambda g, s, i, value: setattr(i, "description", value),
}
SIGNALS = {"traces": TRACES, "logs": LOGS, "metrics": METRICS}
FIELDS = sorted({*TRACES, *LOGS, *METRICS})


_REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest,
}  # fmt: skip


def as_product(signal: str, body: bytes) -> bytes:
    """Return a request with its items made product events, and the planted attributes their properties."""
    sent = _REQUESTS[signal].FromString(body)
    for group in sent.resource_spans if signal == "traces" else ():
        for span in group.scope_spans[0].spans:
            _make_event(span.attributes)
            for event in span.events:
                _make_event(event.attributes)
    for group in sent.resource_logs if signal == "logs" else ():
        record = group.scope_logs[0].log_records[0]
        record.event_name = f"analytics.{record.event_name or 'mailed'}"
        _make_event(record.attributes)
    return bytes(sent.SerializeToString())


def _make_event(attributes: Any) -> None:
    for each in attributes:
        each.key = f"analytics.{each.key}"
    _text(attributes, "mailed", "analytics.event")


def request(signal: str, field: str, texts: list[str]) -> bytes:
    """Return a request with each text by itself in `field`, in a group of its own."""
    made = _REQUESTS[signal]()
    for text in texts:
        _add(signal, made, SIGNALS[signal][field], text)
    return bytes(made.SerializeToString())


def _add(signal: str, request: Any, plant: Plant, text: str) -> None:
    if signal == "traces":
        group = request.resource_spans.add()
        scope = group.scope_spans.add()
        item = scope.spans.add(name="GET", trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=TIME_NS)
        item.end_time_unix_nano = TIME_NS + 5_000_000
    elif signal == "logs":
        group = request.resource_logs.add()
        scope = group.scope_logs.add()
        item = scope.log_records.add(time_unix_nano=TIME_NS)
    else:
        group = request.resource_metrics.add()
        scope = group.scope_metrics.add()
        item = scope.metrics.add(name="http.requests")
        item.sum.aggregation_temporality, item.sum.is_monotonic = AGGREGATION_TEMPORALITY_CUMULATIVE, True
        item.sum.data_points.add(as_int=7, time_unix_nano=TIME_NS, start_time_unix_nano=TIME_NS - 1)
    plant(group, scope, item, text)
