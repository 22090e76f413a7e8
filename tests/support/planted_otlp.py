"""Requests of an app that knows no privacy: an e-mail address of its own in every field that OTLP has for texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.trace.v1.trace_pb2 import Status

TIME_NS = 1_790_000_000_000_000_000
_PLANTED = re.compile(rb"([a-z0-9_]+)(?:@planted\.example\.org|-only-its-key-tells)")
CARD = 4111111111111111


def address(field: str) -> str:
    """Return the address that is planted in `field`."""
    return f"{field}@planted.example.org"


def found(raw: bytes) -> set[str]:
    """Return the fields whose address is somewhere in `raw`."""
    return {each.decode() for each in _PLANTED.findall(raw)}


def _attributes(target: Any, field: str) -> None:
    """Plant in attributes: in texts, under other keys, in keys, lists and maps, and a card's number as an integer."""
    target.add(key="note").value.string_value = f"see {address(field + '_text')}"
    target.add(key=address(field + "_key")).value.bool_value = True
    target.add(key="items").value.array_value.values.add(string_value=address(field + "_list"))
    nested = target.add(key="map").value.kvlist_value.values.add(key="inner").value.kvlist_value
    nested.values.add(key="deep").value.string_value = address(field + "_map")
    target.add(key="raw").value.bytes_value = address(field + "_bytes").encode()
    target.add(key="number").value.int_value = CARD
    target.add(key="user.email").value.string_value = address(field + "_user")
    target.add(key="password").value.string_value = f"{field}_password-only-its-key-tells"
    target.add(key="userId").value.string_value = f"{field}_id-only-its-key-tells"
    target.add(key="line").value.string_value = f"ok user_id={field}_pair-only-its-key-tells n=1"
    target.add(key="plan").value.string_value = "pro"


def _around(resource: Any, scope: Any, prefix: str) -> None:
    _attributes(resource.attributes, f"{prefix}_resource")
    resource.attributes.add(key="service.name").value.string_value = "shop"
    scope.name, scope.version = f"lib {address(prefix + '_scope_name')}", address(f"{prefix}_scope_version")
    _attributes(scope.attributes, f"{prefix}_scope")


def traces(*, is_product: bool, with_links: bool = False) -> ExportTraceServiceRequest:
    """Return one span with an event; a product one, or an operational one.

    Args:
        is_product: Whether `analytics.event` is on the span and on its event.
        with_links: Whether the span has a link.
    """
    request = ExportTraceServiceRequest()
    holder = request.resource_spans.add()
    scope = holder.scope_spans.add()
    _around(holder.resource, scope.scope, "span")
    span = scope.spans.add(name=f"GET /{address('span_name')}", trace_id=b"t" * 16, span_id=b"s" * 8)
    span.start_time_unix_nano, span.end_time_unix_nano = TIME_NS, TIME_NS + 5_000_000
    span.trace_state, span.status.message = f"vendor={address('trace_state')}", f"no {address('status')}"
    span.status.code = Status.STATUS_CODE_ERROR
    _attributes(span.attributes, "span")
    span.attributes.add(key="http.route").value.string_value = "/user/<username>"
    span.attributes.add(key="url.path").value.string_value = "/user/span_path-only-its-key-tells"
    event = span.events.add(name=f"sent {address('event_name')}", time_unix_nano=TIME_NS)
    _attributes(event.attributes, "event")
    if is_product:
        span.attributes.add(key="analytics.event").value.string_value = "bought"
        span.attributes.add(key="analytics.note").value.string_value = address("span_property")
        span.attributes.add(key="analytics.device_id").value.string_value = "span_device-only-its-key-tells"
        event.attributes.add(key="analytics.event").value.string_value = "stepped"
        event.attributes.add(key="analytics.note").value.string_value = address("event_property")
    if with_links:
        link = span.links.add(trace_id=b"l" * 16, span_id=b"l" * 8)
        _attributes(link.attributes, "link")
    return request


def logs(*, is_product: bool) -> ExportLogsServiceRequest:
    """Return two log records, with a text and a map as bodies; product ones, or operational ones."""
    request = ExportLogsServiceRequest()
    holder = request.resource_logs.add()
    scope = holder.scope_logs.add()
    _around(holder.resource, scope.scope, "log")
    body = AnyValue()
    inner = body.kvlist_value.values.add(key="inner").value.kvlist_value
    inner.values.add(key="deep").value.string_value = address("body_map")
    for number, value in enumerate((AnyValue(string_value=f"body {address('body_text')}"), body)):
        record = scope.log_records.add(time_unix_nano=TIME_NS + number, body=value)
        record.severity_text = f"INFO {address('severity_text')}"
        record.event_name = f"mailed {address('log_event_name')}"
        _attributes(record.attributes, "log")
        if is_product:
            record.event_name = f"analytics.mailed {address('log_event_name')}"
            record.attributes.add(key="analytics.note").value.string_value = address("log_property")
    return request


def metrics() -> ExportMetricsServiceRequest:
    """Return a counter with an exemplar, and one whose name itself is an address."""
    request = ExportMetricsServiceRequest()
    holder = request.resource_metrics.add()
    scope = holder.scope_metrics.add()
    _around(holder.resource, scope.scope, "metric")
    for name in ("http.requests", address("metric_name")):
        metric = scope.metrics.add(name=name, description=f"of {address('description')}", unit=address("unit"))
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = AGGREGATION_TEMPORALITY_CUMULATIVE, True
        point = metric.sum.data_points.add(as_int=7, time_unix_nano=TIME_NS, start_time_unix_nano=TIME_NS - 1)
        _attributes(point.attributes, "point")
        exemplar = point.exemplars.add(as_int=1, time_unix_nano=TIME_NS)
        _attributes(exemplar.filtered_attributes, "exemplar")
    return request


def operational() -> Iterator[tuple[str, bytes]]:
    """Yield path and body of operational telemetry."""
    yield "/v1/traces", traces(is_product=False).SerializeToString()
    yield "/v1/logs", logs(is_product=False).SerializeToString()
    yield "/v1/metrics", metrics().SerializeToString()


def product() -> Iterator[tuple[str, bytes]]:
    """Yield path and body of product telemetry."""
    yield "/v1/traces", traces(is_product=True).SerializeToString()
    yield "/v1/logs", logs(is_product=True).SerializeToString()
