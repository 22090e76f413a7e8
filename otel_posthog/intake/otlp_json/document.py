"""A parsed OTLP document in, its spans and log records out, one after the other; metrics and profiles are not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.records import (
    SPAN_KINDS,
    STATUS_CODES,
    LogRecord,
    OnMalformed,
    ReadOne,
    Record,
    SpanEvent,
    SpanRecord,
    readable,
)
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


class _Around(NamedTuple):
    resource: Attributes
    scope_name: str


def _each(
    scope: Fields,
    name: str,
    read_one: ReadOne[object, _Around],
    resource: Attributes,
    on_malformed: OnMalformed | None,
) -> Iterator[Record]:
    around = _Around(resource, _scope_name(scope.content.get("scope")))
    for at, value in enumerate(as_list(scope.content.get(name), scope.at(name))):
        record = readable(read_one, value, around, f"{scope.at(name)}[{at}]", on_malformed)
        if record is not None:
            yield record


def _span(value: object, around: _Around, path: str) -> SpanRecord:
    fields = as_fields(value, path)
    status = fields.object("status")
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
        status_message=status.text("message"),
        resource=around.resource,
        dropped_attributes=fields.whole("droppedAttributesCount", UINT64),
        start_ns=_start(fields),
        kind=_named(SPAN_KINDS, fields.content.get("kind")),
        status_code=_named(STATUS_CODES, status.content.get("code")),
        scope_name=around.scope_name,
    )


def _log(value: object, around: _Around, path: str) -> LogRecord:
    fields = as_fields(value, path)
    return LogRecord(
        event_name=fields.text("eventName"),
        attributes=attributes_of(fields, "attributes"),
        body=value_of(fields.object("body")),
        time_ns=fields.whole("timeUnixNano", UINT64),
        observed_ns=fields.whole("observedTimeUnixNano", UINT64),
        trace_id=fields.identifier("traceId", _TRACE_ID_BYTES),
        span_id=fields.identifier("spanId", _SPAN_ID_BYTES),
        resource=around.resource,
        dropped_attributes=fields.whole("droppedAttributesCount", UINT64),
        scope_name=around.scope_name,
    )


def _required(fields: Fields, name: str, size_bytes: int) -> int:
    value = fields.identifier(name, size_bytes)
    if not value:
        # Trace data model: an id of zeros is invalid, and there is no span without ids.
        raise MalformedTelemetry(fields.at(name), "must be there, and not all zeros")
    return value


# What only rules ask for: no event is lost for a mistake in one of these.


def _start(fields: Fields) -> int:
    try:
        return fields.whole("startTimeUnixNano", UINT64)
    except MalformedTelemetry:
        return 0


def _named(names: Sequence[str], value: object) -> str:
    """Return the name of an enumeration's value, which the format writes as its number."""
    return names[value] if type(value) is int and 0 <= value < len(names) else names[0]


def _scope_name(scope: object) -> str:
    name = scope.get("name") if isinstance(scope, Mapping) else None
    return name if isinstance(name, str) else ""
