"""How many values a body holds, told before anything is made of them: two bytes may become an object of two hundred."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from otel_posthog.apps.gateway.inflate import Take
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.intake.otlp_proto import TRACES, Kind

MAX_VALUES = 300_000
"""Of one body; 12,000 items with a dozen attributes each hold as many."""

_VALUE_BYTES = 128
# One that does not end goes to the end of all: a search that failed there would begin again at every quote.
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_LENGTH_DELIMITED = 2
_FIXED_BYTES = {1: 8, 5: 4}
# Where so many are looked at one after the other, others have their turn in between.
_FIELDS_A_STEP = 20_000

_Inner = Mapping[int, Any]
"""The fields of a message that are messages, by number, each with those of its own."""


def weigh_proto(body: bytes, kind: Kind, take: Take) -> Iterator[None]:
    """Take the memory of what a body in protobuf is read into, step by step.

    Raises:
        Refusal: It holds too many values, or there is no memory for them now.
    """
    # Each value begins with one of these bytes. Texts have them too, so that this is a bound, in no time.
    values = len(body) - len(body.translate(None, _first_bytes(kind)))
    if values > MAX_VALUES:
        values = yield from _counted(body, _inner(kind.message.DESCRIPTOR))
    take(values * _VALUE_BYTES)


def weigh_json(body: bytes, take: Take) -> None:
    """Take the memory of what a body in JSON is read into.

    Raises:
        Refusal: It holds too many values, or there is no memory for them now.
    """
    values = _commas_and_brackets(body)
    if values > MAX_VALUES:
        values = _commas_and_brackets(_TEXT.sub(b"", body))
    if values > MAX_VALUES:
        raise _too_many("values", MAX_VALUES)
    take(values * _VALUE_BYTES)


def check_items(message: Any, kind: Kind, max_items: int) -> None:
    """Count the spans and their events, or the log records, of a parsed request.

    Raises:
        Refusal: They are more than `max_items`.
    """
    scopes = [scope for holder in getattr(message, kind.resources) for scope in getattr(holder, kind.scopes)]
    items = sum([len(getattr(scope, kind.items)) for scope in scopes])
    if items <= max_items and kind is TRACES:
        items += sum([len(span.events) for scope in scopes for span in scope.spans])
    if items > max_items:
        raise _too_many("items", max_items)


def check_json_items(document: object, kind: Kind, max_items: int) -> None:
    """Count them in a JSON document, whatever else is wrong with it.

    Raises:
        Refusal: They are more than `max_items`.
    """
    items = 0
    for holder in _listed(document, kind.json_resources):
        for scope in _listed(holder, kind.json_scopes):
            found = _listed(scope, kind.json_items)
            items += len(found) + sum([len(_listed(each, "events")) for each in found])
    if items > max_items:
        raise _too_many("items", max_items)


def _listed(value: object, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _commas_and_brackets(text: bytes) -> int:
    return text.count(b",") + text.count(b"{") + text.count(b"[")


def _too_many(what: str, most: int) -> Refusal:
    return Refusal(413, f"the request holds more than {most} {what}; send smaller batches")


def _counted(body: bytes, outermost: _Inner) -> Generator[None, None, int]:
    """Return how many messages are in `body`; the parser says later what else is wrong with it."""
    values = fields = 0
    waiting = [(0, len(body), outermost)]
    while waiting:
        at, end, inner = waiting.pop()
        while at < end:
            fields += 1
            if not fields % _FIELDS_A_STEP:
                yield
            tag, at = _varint(body, at, end)
            if tag & 7 == _LENGTH_DELIMITED:
                size, at = _varint(body, at, end)
                within = inner.get(tag >> 3)
                if within is not None:
                    values += 1
                    if values > MAX_VALUES:
                        raise _too_many("values", MAX_VALUES)
                    waiting.append((at, min(at + size, end), within))
                at += size
            elif tag & 7 == 0:
                _, at = _varint(body, at, end)
            else:
                at += _FIXED_BYTES.get(tag & 7, end)
    return values


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at


@cache
def _first_bytes(kind: Kind) -> bytes:
    """Return the bytes with which a message within one of `kind` can begin, also where its tag is written too long."""
    _inner(kind.message.DESCRIPTOR)
    numbers = {number for inner in _made.values() for number in inner}
    tags = {number << 3 | _LENGTH_DELIMITED for number in numbers}
    return bytes({tag & 0x7F for tag in tags} | {tag & 0x7F | 0x80 for tag in tags})


_made: dict[str, dict[int, Any]] = {}


def _inner(message: Any) -> _Inner:
    """Return the table of `message`; an `AnyValue` may hold others, so that it is in its own."""
    found = _made.get(message.full_name)
    if found is None:
        found = _made[message.full_name] = {}
        for field in message.fields:
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                found[field.number] = _inner(field.message_type)
    return found
