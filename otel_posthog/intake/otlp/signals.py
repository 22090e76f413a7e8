"""A span or log record of a document in; the signals that intake in the process would have made of it out."""

from __future__ import annotations

from otel_posthog.intake.items import ExceptionsInForce, log_name, span_items
from otel_posthog.intake.otlp.records import LogRecord, SpanRecord
from otel_posthog.intake.otlp.uids import RecordUids
from otel_posthog.model import Signal, Source


def signals_of(
    record: SpanRecord | LogRecord, exceptions: ExceptionsInForce, uids: RecordUids | None = None
) -> list[Signal]:
    """Return the product items of `record`: those of the process it comes from, of a span also with the same uuids.

    Args:
        record: Of a document.
        exceptions: Returns the policy on exceptions.
        uids: Tells log records of one name and time apart; without it they are one event.
    """
    if isinstance(record, SpanRecord):
        items = span_items(
            record.attributes,
            record.events,
            record.end_ns,
            exceptions,
            dropped_attributes=record.dropped_attributes,
        )
        return [
            item.signal(trace_id=record.trace_id, span_id=record.span_id, resource=record.resource) for item in items
        ]
    name = log_name(record.event_name or None, record.attributes, exceptions)
    if name is None:
        return []
    return [
        Signal(
            Source.LOG,
            name,
            record.attributes,
            record.time_ns or record.observed_ns,
            trace_id=record.trace_id,
            span_id=record.span_id,
            resource=record.resource,
            observed_time_ns=record.observed_ns,
            dropped_attributes=record.dropped_attributes,
            uid=uids.uid(record, name) if uids else b"",
        )
    ]
