"""Telemetry of the SDK as OTLP JSON: through the real exporters' encoders, with ids as OTLP writes them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

IDS = ("traceId", "spanId", "parentSpanId")


def spans_json(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """Return `spans` as a document, with base64 ids made hexadecimal: where OTLP departs from protobuf's JSON."""
    document: dict[str, Any] = with_hex_ids(MessageToDict(encode_spans(spans)))
    return document


def logs_json(records: Sequence[ReadableLogRecord]) -> dict[str, Any]:
    """Return `records` as a document, in the same way."""
    document: dict[str, Any] = with_hex_ids(MessageToDict(encode_logs(records)))
    return document


def with_hex_ids(content: Any) -> Any:
    """Return `content` with ids in hexadecimal digits."""
    if isinstance(content, dict):
        return {
            key: b64decode(value).hex() if key in IDS and isinstance(value, str) else with_hex_ids(value)
            for key, value in content.items()
        }
    return [with_hex_ids(each) for each in content] if isinstance(content, list) else content
