"""OTLP as JSON in, records out, without an object of the SDK.

Source of the format: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and https://protobuf.dev/programming-guides/json/.
"""

from otel_posthog.intake.otlp_json.document import is_otlp, read

__all__ = ["is_otlp", "read"]
