"""The SDK's spans and log records as the records that explanations are made of; read after they have ended."""

from __future__ import annotations

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

from otel_posthog.intake.otlp import LogRecord, SpanEvent, SpanRecord
from otel_posthog.model import NO_ATTRIBUTES, Attributes
from otel_posthog.sdk import item_attributes

SdkItem = ReadableSpan | ReadableLogRecord


def span_record(span: ReadableSpan, product: Attributes = NO_ATTRIBUTES) -> SpanRecord:
    """Return a span as a record.

    Args:
        span: The span, without what was detached as it ended.
        product: The attributes that it had before that.
    """
    context = span.context
    return SpanRecord(
        name=span.name,
        attributes={**product, **item_attributes(span.attributes)},
        trace_id=context.trace_id,
        span_id=context.span_id,
        end_ns=span.end_time or 0,
        events=tuple(SpanEvent(each.name, dict(each.attributes or {}), each.timestamp) for each in span.events),
        status_message=span.status.description or "",
        resource=dict(span.resource.attributes),
        start_ns=span.start_time or 0,
        kind=span.kind.name,
        status_code=span.status.status_code.name,
        scope_name=span.instrumentation_scope.name if span.instrumentation_scope else "",
    )


def log_record(item: ReadableLogRecord) -> LogRecord:
    """Return a log record as a record."""
    record = item.log_record
    return LogRecord(
        event_name=record.event_name or "",
        attributes=dict(item_attributes(record.attributes)),
        body=record.body,
        time_ns=record.timestamp or 0,
        observed_ns=record.observed_timestamp or 0,
        trace_id=record.trace_id or 0,
        span_id=record.span_id or 0,
        resource=dict(item.resource.attributes) if item.resource else {},
        scope_name=item.instrumentation_scope.name if item.instrumentation_scope else "",
    )
