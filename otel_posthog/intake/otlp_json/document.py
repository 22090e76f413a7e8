"""A parsed OTLP document in, its spans and log records out, one after the other; metrics and profiles are not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp_json.fields import UINT64, Fields, as_fields
from otel_posthog.intake.otlp_json.records import LogRecord, SpanEvent, SpanRecord
from otel_posthog.intake.otlp_json.values import attributes_of, value_of
from otel_posthog.model import Attributes

_TOP = ("resourceSpans", "resourceLogs", "resourceMetrics", "resourceProfiles")
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8


def is_otlp(document: object) -> bool:
    """Return whether `document` says that it is OTLP: by the one field that all of its kinds have."""
    return isinstance(document, Mapping) and any(name in document for name in _TOP)


def read(document: object) -> Iterator[SpanRecord | LogRecord]:
    """Yield the spans and log records of a document.

    Args:
        document: `TracesData`, `LogsData` or the export requests of the same fields, as `json.loads` returns them.

    Raises:
        MalformedTelemetry: A field is not what the format says; items before it have been yielded.
    """
    top = as_fields(document, "")
    for holder in top.objects("resourceSpans"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeSpans"):
            for span in scope.objects("spans"):
                yield _span(span, resource)
    for holder in top.objects("resourceLogs"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeLogs"):
            for record in scope.objects("logRecords"):
                yield _log(record, resource)


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
