"""What readers of OTLP have in common: plain records out of a document."""

from otel_posthog.intake.otlp.records import (
    OPERATIONAL,
    LogRecord,
    OnMalformed,
    Record,
    RecordUids,
    SpanEvent,
    SpanRecord,
)

__all__ = [
    "OPERATIONAL",
    "LogRecord",
    "OnMalformed",
    "Record",
    "RecordUids",
    "SpanEvent",
    "SpanRecord",
]
