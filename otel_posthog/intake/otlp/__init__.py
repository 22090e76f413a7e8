"""What readers of OTLP have in common: plain records out of a document."""

from otel_posthog.intake.otlp.records import OPERATIONAL, LogRecord, OnMalformed, Record, SpanEvent, SpanRecord
from otel_posthog.intake.otlp.uids import RecordUids

__all__ = [
    "OPERATIONAL",
    "LogRecord",
    "OnMalformed",
    "Record",
    "RecordUids",
    "SpanEvent",
    "SpanRecord",
]
