"""OTLP as JSON in, signals out, without an object of the SDK.

`read` yields what a document holds; `signals_of` makes of it what intake in a process would. Source of the format:
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and https://protobuf.dev/programming-guides/json/.
"""

from otel_posthog.intake.otlp_json.document import is_otlp, read
from otel_posthog.intake.otlp_json.records import LogRecord, SpanEvent, SpanRecord
from otel_posthog.intake.otlp_json.signals import signals_of

__all__ = ["LogRecord", "SpanEvent", "SpanRecord", "is_otlp", "read", "signals_of"]
