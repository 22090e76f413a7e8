"""OTLP as JSON: a parsed document in, its spans and log records out, without an object of the SDK.

Metrics and profiles are not read. Values become what the SDK holds them as: str, bool, int, float, bytes, tuple, dict,
None. A field that is missing or null has the default of its type, as in protobuf; fields that are not asked for are
ignored. Source of the format: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
https://protobuf.dev/programming-guides/json/.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.records import (
    MAX_DEPTH,
    SPAN_KINDS,
    STATUS_CODES,
    LogRecord,
    OnMalformed,
    ReadOne,
    Record,
    SpanEvent,
    SpanRecord,
    readable,
)
from otel_posthog.model import Attributes

_TOP = ("resourceSpans", "resourceLogs", "resourceMetrics", "resourceProfiles")
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_HEX = re.compile(r"[0-9A-Fa-f]+")
_MAX_WHOLE_CHARS = 20
_WHOLE = re.compile(rf"-?[0-9]{{1,{_MAX_WHOLE_CHARS}}}")
INT64, UINT64 = range(-(2**63), 2**63), range(2**64)
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_DECIMAL = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?")
_TOO_LARGE = 2**1024  # no double
_URL_SAFE = str.maketrans("-_", "+/")


def is_otlp(document: object) -> bool:
    """Return whether `document` says that it is OTLP: by the one field that all of its kinds have."""
    return isinstance(document, Mapping) and any(name in document for name in _TOP)


def read_document(document: object, on_malformed: OnMalformed | None = None) -> Iterator[Record]:
    """Yield the spans and log records of a document.

    Args:
        document: `TracesData`, `LogsData` or the export requests of the same fields, as `json.loads` returns them.
        on_malformed: Told of a span or record that cannot be read, which is left out.

    Raises:
        MalformedTelemetry: A field is not what the format says; items before it have been yielded. With `on_malformed`
            only where it is a field around the items.
    """
    top = as_fields(document, "")
    for holder in top.objects("resourceSpans"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeSpans"):
            yield from _each(scope, "spans", _span, resource, on_malformed)
    for holder in top.objects("resourceLogs"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeLogs"):
            yield from _each(scope, "logRecords", _log, resource, on_malformed)


class _Around(NamedTuple):
    resource: Attributes
    scope_name: str


def _each(
    scope: Fields,
    name: str,
    read_one: ReadOne[object, _Around],
    resource: Attributes,
    on_malformed: OnMalformed | None,
) -> Iterator[Record]:
    around, path = _Around(resource, _scope_name(scope.content.get("scope"))), scope.at(name)
    for at, value in enumerate(as_list(scope.content.get(name), path)):
        record = readable(read_one, value, around, f"{path}[{at}]", on_malformed)
        if record is not None:
            yield record


def _span(value: object, around: _Around, path: str) -> SpanRecord:
    fields = as_fields(value, path)
    status = fields.object("status")
    return SpanRecord(
        name=fields.text("name"),
        attributes=attributes_of(fields, "attributes"),
        trace_id=_required(fields, "traceId", _TRACE_ID_BYTES),
        span_id=_required(fields, "spanId", _SPAN_ID_BYTES),
        end_ns=fields.whole("endTimeUnixNano", UINT64),
        events=tuple(
            SpanEvent(each.text("name"), attributes_of(each, "attributes"), each.whole("timeUnixNano", UINT64))
            for each in fields.objects("events")
        ),
        status_message=status.text("message"),
        resource=around.resource,
        dropped_attributes=fields.whole("droppedAttributesCount", UINT64),
        start_ns=_start(fields),
        kind=_named(SPAN_KINDS, fields.content.get("kind")),
        status_code=_named(STATUS_CODES, status.content.get("code")),
        scope_name=around.scope_name,
    )


def _log(value: object, around: _Around, path: str) -> LogRecord:
    fields = as_fields(value, path)
    return LogRecord(
        event_name=fields.text("eventName"),
        attributes=attributes_of(fields, "attributes"),
        body=None if fields.content.get("body") is None else value_of(fields.object("body")),
        time_ns=fields.whole("timeUnixNano", UINT64),
        observed_ns=fields.whole("observedTimeUnixNano", UINT64),
        trace_id=fields.identifier("traceId", _TRACE_ID_BYTES),
        span_id=fields.identifier("spanId", _SPAN_ID_BYTES),
        resource=around.resource,
        dropped_attributes=fields.whole("droppedAttributesCount", UINT64),
        scope_name=around.scope_name,
        is_sampled=is_sampled(fields, "flags"),
    )


def _required(fields: Fields, name: str, size_bytes: int) -> int:
    value = fields.identifier(name, size_bytes)
    if not value:
        # Trace data model: an id of zeros is invalid, and there is no span without ids.
        raise MalformedTelemetry(fields.at(name), "must be there, and not all zeros")
    return value


# No event is lost for a mistake in one of these: what only rules ask for, and whether there is a trace to be seen.


def is_sampled(fields: Fields, name: str) -> bool:
    """Return whether the flags of a trace, as W3C's Trace Context has them, say that it is sampled."""
    try:
        return fields.whole(name, UINT64) & 1 == 1
    except MalformedTelemetry:
        return False


def _start(fields: Fields) -> int:
    try:
        return fields.whole("startTimeUnixNano", UINT64)
    except MalformedTelemetry:
        return 0


def _named(names: Sequence[str], value: object) -> str:
    """Return the name of an enumeration's value, which the format writes as its number."""
    return names[value] if type(value) is int and 0 <= value < len(names) else names[0]


def _scope_name(scope: object) -> str:
    name = scope.get("name") if isinstance(scope, Mapping) else None
    return name if isinstance(name, str) else ""


class Fields(NamedTuple):
    """One JSON object.

    Attributes:
        path: Where in the document it is, for messages.
        content: The object.
    """

    path: str
    content: Mapping[str, object]

    def at(self, name: str) -> str:
        """Return the path of the field `name`."""
        return f"{self.path}.{name}" if self.path else name

    def text(self, name: str) -> str:
        """Return a string; empty where there is none."""
        value = self.content.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise MalformedTelemetry(self.at(name), "must be a string")
        return value

    def whole(self, name: str, allowed: range) -> int:
        """Return an integer, written as a number or, as 64 bits are, as a decimal string; 0 where there is none."""
        value = self.content.get(name)
        if value is None:
            return 0
        # Most, without a path for a message.
        if type(value) is str and len(value) <= _MAX_WHOLE_CHARS and value.isascii() and value.isdecimal():
            number = int(value)
            if number in allowed:
                return number
        return whole_number(value, allowed, self.at(name))

    def identifier(self, name: str, size_bytes: int) -> int:
        """Return an id that is written in hexadecimal digits; 0 where there is none."""
        text, digits = self.text(name), 2 * size_bytes
        if not text:
            return 0
        if len(text) != digits or not _HEX.fullmatch(text):
            looks_encoded = len(text) in {12, 24} and text.endswith("=")
            hint = " (not base64, which protobuf's own JSON writes)" if looks_encoded else ""
            raise MalformedTelemetry(self.at(name), f"must be {digits} hexadecimal digits{hint}")
        return int(text, 16)

    def object(self, name: str) -> Fields:
        """Return an object; an empty one where there is none."""
        value = self.content.get(name)
        return as_fields({} if value is None else value, self.at(name))

    def objects(self, name: str) -> Iterator[Fields]:
        """Yield the objects of a list; none where there is no list."""
        for at, value in enumerate(as_list(self.content.get(name), self.at(name))):
            yield as_fields(value, f"{self.at(name)}[{at}]")


def as_fields(value: object, path: str) -> Fields:
    """Return `value`, which must be an object."""
    if not isinstance(value, Mapping):
        raise MalformedTelemetry(path, "must be an object")
    return Fields(path, value)


def as_list(value: object, path: str) -> list[object]:
    """Return `value`, which must be a list or null."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedTelemetry(path, "must be a list")
    return value


def whole_number(value: object, allowed: range, path: str) -> int:
    """Return `value`, which must be an integer within `allowed`, as a number or a decimal string."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        bits = "unsigned 64 bits" if allowed is UINT64 else "64 bits"
        raise MalformedTelemetry(path, f"must be an integer of {bits}, as a decimal string or a number")
    return value


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
    path = fields.at(name)
    for at, given in enumerate(as_list(fields.content.get(name), path)):
        if depth < MAX_DEPTH and _put_plain(found, given):
            continue
        pair = as_fields(given, f"{path}[{at}]")
        value = pair.content.get("value")
        found[pair.text("key")] = None if value is None else value_of(as_fields(value, pair.at("value")), depth)
    return found


_PLAIN = frozenset({("stringValue", str), ("boolValue", bool), ("doubleValue", float)})
"""Fields of a value, and the types in which JSON has what they hold as it is."""


def _put_plain(found: dict[str, object], pair: object) -> bool:
    """Put an attribute into `found` and return True, if it is one of the many of which there is no more to ask."""
    if type(pair) is not dict:
        return False
    key, value = pair.get("key"), pair.get("value")
    if type(key) is not str or type(value) is not dict or len(value) != 1:
        return False
    ((kind, plain),) = value.items()
    if (kind, type(plain)) not in _PLAIN:
        return False
    found[key] = plain
    return True


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
