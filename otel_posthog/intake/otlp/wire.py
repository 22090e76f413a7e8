"""Requests in spite of texts in them that are none, and protobuf's wire format, read without its parser.

A parser refuses a whole request for one text that is not UTF-8, which a Collector passes on unseen (a log file in
another encoding). Each byte that is none becomes `?` where it stands, and nothing else is touched.
Source: https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from functools import cache
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from otel_posthog.intake.otlp.protobuf import Kind, parsed

LENGTH_DELIMITED = 2
FIXED_BYTES: Mapping[int, int] = {1: 8, 5: 4}
FIELDS_A_STEP = 20_000
"""Of some ten milliseconds."""


def parsed_in_steps(body: bytes, kind: Kind) -> Generator[None, None, Message]:
    """Return the export request that `body` is, with `?` for each byte of a text that is not UTF-8.

    Raises:
        MalformedTelemetry: It is none.
    """
    try:
        return kind.message.FromString(body)
    except DecodeError:
        pass
    mended = yield from with_valid_texts(body, cast("Descriptor", kind.message.DESCRIPTOR))
    return parsed(mended, kind)


def parsed_json(body: bytes) -> object:
    """Return the document that `body` is; as `parsed_in_steps`.

    Raises:
        ValueError: It is none.
        RecursionError: It is nested too deeply.
    """
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        return json.loads(valid_text(body))


def with_valid_texts(body: bytes, message: Descriptor) -> Generator[None, None, bytes]:
    """Return `body` with texts that a parser takes; the parser says what else is wrong with it."""
    found, fields = bytearray(body), 0
    waiting = [(0, len(body), message)]
    while waiting:
        at, end, within = waiting.pop()
        inner = _inside(within)
        while at < end:
            fields += 1
            if not fields % FIELDS_A_STEP:
                yield
            tag, at = varint(body, at, end)
            if tag & 7 == LENGTH_DELIMITED:
                size, at = varint(body, at, end)
                if tag >> 3 in inner and at + size <= end:
                    of_field = inner[tag >> 3]
                    if of_field is None:
                        found[at : at + size] = valid_text(body[at : at + size])
                    else:
                        waiting.append((at, at + size, of_field))
                at += size
            elif tag & 7 == 0:
                _, at = varint(body, at, end)
            else:
                at += FIXED_BYTES.get(tag & 7, end)
    return bytes(found)


def valid_text(text: bytes) -> bytes:
    """Return `text` as UTF-8 of the same length."""
    return text if text.isascii() else text.decode("utf-8", "surrogateescape").encode("utf-8", "replace")


def varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the number that begins at `at`, and where it ends."""
    value = shift = 0
    while at < end:
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at


@cache
def _inside(message: Descriptor) -> Mapping[int, Descriptor | None]:
    """Return, by number, the messages within one; None stands for a text."""
    kinds = {FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_STRING}
    return {field.number: field.message_type for field in message.fields if field.type in kinds}
