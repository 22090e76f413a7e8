"""OTLP as protobuf in, records out, the same as of the same telemetry in JSON.

Source of the format: https://opentelemetry.io/docs/specs/otlp/#binary-protobuf-encoding, and the messages of
`opentelemetry-proto`, which comes with the extra `gateway`.
"""

from otel_posthog.intake.otlp_proto.requests import LOGS, TRACES, Kind, parsed, read

__all__ = ["LOGS", "TRACES", "Kind", "parsed", "read"]
