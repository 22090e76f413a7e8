"""OTLP's JSON made protobuf's: ids in hexadecimal digits become base64, numbers that are none get their quotes.

Halves of characters, which JSON can hold and protobuf cannot, become `?`: a browser cuts a text where it likes.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

from __future__ import annotations

import base64
import math

_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


def with_proto_ids(document: object) -> object:
    """Return a parsed document as protobuf's own JSON has it.

    Raises:
        ValueError: An id is not written in hexadecimal digits.
    """
    if isinstance(document, dict):
        return {
            _whole(name): base64.b64encode(bytes.fromhex(value)).decode()
            if name in _IDS and isinstance(value, str)
            else with_proto_ids(value)
            for name, value in document.items()
        }
    if isinstance(document, list):
        return [with_proto_ids(each) for each in document]
    if isinstance(document, str):
        return _whole(document)
    if isinstance(document, float) and not math.isfinite(document):
        return "NaN" if math.isnan(document) else "Infinity" if document > 0 else "-Infinity"
    return document


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
