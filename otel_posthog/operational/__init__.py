"""What goes on to the operational backends: product data off, personal data out, not one span fewer."""

from otel_posthog.operational.logs import RedactingLogRecordExporter
from otel_posthog.operational.metrics import MetricRedactor, RedactingMetricExporter
from otel_posthog.operational.redactor import Redactor
from otel_posthog.operational.spans import LINKS_MARK, RedactingSpanExporter, detach

__all__ = [
    "LINKS_MARK",
    "MetricRedactor",
    "RedactingLogRecordExporter",
    "RedactingMetricExporter",
    "RedactingSpanExporter",
    "Redactor",
    "detach",
]
