"""A parsed OTLP document in, its spans and log records out, one after the other; metrics and profiles are not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.records import LogRecord, OnMalformed, Record, SpanEvent, SpanRecord
from otel_posthog.intake.otlp_json.fields import UINT64, Fields, as_fields, as_list
from otel_posthog.intake.otlp_json.values import attributes_of, value_of
from otel_posthog.model import Attributes

_TOP = ("resourceSpans", "resourceLogs", "resourceMetrics", "resourceProfiles")
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8


def is_otlp(document: object) -> bool:
    """Return whether `document` says that it is OTLP: by the one field that all of its kinds have."""
    return isinstance(document, Mapping) and any(name in document for name in _TOP)


def read(document: object, on_malformed: OnMalformed | None = None) -> Iterator[Record]:
    """Yield the spans and log records of a document.

    Args:
        document: `TracesData`, `LogsData` or the export requests of the same fields, as `json.loads` returns them.
        on_malformed: Told of a span or record that cannot be read, which is left out.

    Raises:
        MalformedTelemetry: A field is not what the format says; items before it have been yielded. With `on_malformed`
            only where it is a field around the items.
    """
    top = as_fields(document, "")
    for holder in top.objects("resourceSpans"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeSpans"):
            yield from _each(scope, "spans", _span, resource, on_malformed)
    for holder in top.objects("resourceLogs"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeLogs"):
            yield from _each(scope, "logRecords", _log, resource, on_malformed)


_Read = TypeVar("_Read")


def _each(
    scope: Fields,
    name: str,
    read_one: Callable[[Fields, Attributes], _Read],
    resource: Attributes,
    on_malformed: OnMalformed | None,
) -> Iterator[_Read]:
    for at, value in enumerate(as_list(scope.content.get(name), scope.at(name))):
        item = _read_one(value, f"{scope.at(name)}[{at}]", read_one, resource, on_malformed)
        if item is not None:
            yield item


def _read_one(
    value: object,
    path: str,
    read_one: Callable[[Fields, Attributes], _Read],
    resource: Attributes,
    on_malformed: OnMalformed | None,
) -> _Read | None:
    try:
        return read_one(as_fields(value, path), resource)
    except MalformedTelemetry as error:
        if on_malformed is None:
            raise
        on_malformed(error)
        return None


def _span(fields: Fields, resource: Attributes) -> SpanRecord:
    return SpanRecord(
        name=fields.text("name"),
        attributes=attributes_of(fields, "attributes"),
        trace_id=_required(fields, "traceId", _TRACE_ID_BYTES),
        span_id=_required(fields, "spanId", _SPAN_ID_BYTES),
        end_ns=fields.whole("endTimeUnixNano", UINT64),
        events=tuple(
            SpanEvent(each.text("name"), attributes_of(each, "attributes"), each.whole("timeUnixNano", UINT64))
            for each in fields.objects("events")
        ),
        status_message=fields.object("status").text("message"),
        resource=resource,
        dropped_attributes=fields.whole("droppedAttributesCount", UINT64),
    )


def _log(fields: Fields, resource: Attributes) -> LogRecord:
    return LogRecord(
        event_name=fields.text("eventName"),
        attributes=attributes_of(fields, "attributes"),
        body=value_of(fields.object("body")),
        time_ns=fields.whole("timeUnixNano", UINT64),
        observed_ns=fields.whole("observedTimeUnixNano", UINT64),
        trace_id=fields.identifier("traceId", _TRACE_ID_BYTES),
        span_id=fields.identifier("spanId", _SPAN_ID_BYTES),
        resource=resource,
        dropped_attributes=fields.whole("droppedAttributesCount", UINT64),
    )


def _required(fields: Fields, name: str, size_bytes: int) -> int:
    value = fields.identifier(name, size_bytes)
    if not value:
        # Trace data model: an id of zeros is invalid, and there is no span without ids.
        raise MalformedTelemetry(fields.at(name), "must be there, and not all zeros")
    return value
