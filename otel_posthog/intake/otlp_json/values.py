"""OTLP's `AnyValue` and attribute lists, as the SDK holds them: str, bool, int, float, bytes, tuple, dict, None."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.records import MAX_DEPTH
from otel_posthog.intake.otlp_json.fields import INT64, Fields, as_fields, whole_number

_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_DECIMAL = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?")
_TOO_LARGE = 2**1024  # no double
_URL_SAFE = str.maketrans("-_", "+/")


def attributes_of(fields: Fields, name: str) -> dict[str, object]:
    """Return the attributes in the list `name`; a key that stands twice has its last value."""
    return _pairs(fields, name, 0)


def value_of(fields: Fields, depth: int = 0) -> object:
    """Return an `AnyValue`; None for one that is empty.

    Raises:
        MalformedTelemetry: It holds two values, one of another type than its name says, or too many levels.
    """
    found = [name for name in fields.content if name in _KINDS and fields.content[name] is not None]
    if not found:
        return None
    if len(found) > 1:
        raise MalformedTelemetry(fields.path, f"must hold one value, not {' and '.join(found)}")
    if depth >= MAX_DEPTH:
        raise MalformedTelemetry(fields.path, f"is nested more than {MAX_DEPTH} levels deep")
    return _KINDS[found[0]](fields, depth)


def _pairs(fields: Fields, name: str, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in fields.objects(name):
        value = pair.content.get("value")
        found[pair.text("key")] = None if value is None else value_of(as_fields(value, pair.at("value")), depth)
    return found


def _text(fields: Fields, _: int) -> str:
    return fields.text("stringValue")


def _bool(fields: Fields, _: int) -> bool:
    value = fields.content["boolValue"]
    if not isinstance(value, bool):
        raise MalformedTelemetry(fields.at("boolValue"), "must be true or false")
    return value


def _int(fields: Fields, _: int) -> int:
    return whole_number(fields.content["intValue"], INT64, fields.at("intValue"))


def _double(fields: Fields, _: int) -> float:
    value = fields.content["doubleValue"]
    if isinstance(value, str) and (value in _NOT_FINITE or _DECIMAL.fullmatch(value)):
        return float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _TOO_LARGE:
        return float(value)
    if isinstance(value, float):
        return value  # NaN and infinity as some writers put them, without quotes
    raise MalformedTelemetry(fields.at("doubleValue"), "must be a number, or NaN, Infinity or -Infinity as a string")


def _bytes(fields: Fields, _: int) -> bytes:
    text = fields.text("bytesValue").rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedTelemetry(fields.at("bytesValue"), "must be base64") from None


def _array(fields: Fields, depth: int) -> tuple[object, ...]:
    return tuple(value_of(each, depth + 1) for each in fields.object("arrayValue").objects("values"))


def _map(fields: Fields, depth: int) -> dict[str, object]:
    return _pairs(fields.object("kvlistValue"), "values", depth + 1)


_KINDS: Mapping[str, Callable[[Fields, int], object]] = {
    "stringValue": _text,
    "boolValue": _bool,
    "intValue": _int,
    "doubleValue": _double,
    "bytesValue": _bytes,
    "arrayValue": _array,
    "kvlistValue": _map,
}
