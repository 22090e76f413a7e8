"""Requests of a few bytes that would become a great many objects, as somebody who means harm writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

TIME_NS = 1_790_000_000_000_000_000


def field(number: int, content: bytes) -> bytes:
    """Return a length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Return `value` as protobuf writes it."""
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


_RECORD = b"\x09" + TIME_NS.to_bytes(8, "little") + field(12, b"analytics.e")
_SPAN = field(1, b"t" * 16) + field(2, b"s" * 8)


def request(items: bytes) -> bytes:
    """Return an export request of one resource and scope with the encoded `items`."""
    return field(1, field(2, items))


LOGS: Mapping[str, Callable[[int], bytes]] = {
    "resources": lambda count: field(1, b"") * count,
    "resources with long tags": lambda count: b"\x8a\x00\x00" * count,
    "scopes": lambda count: field(1, field(2, b"") * count),
    "records": lambda count: request(field(2, b"") * count),
    "attributes": lambda count: request(field(2, _RECORD + field(6, b"") * count)),
    "lists": lambda count: request(field(2, _RECORD + field(5, field(5, field(1, b"") * count)))),
    "maps": lambda count: request(field(2, _RECORD + field(5, field(6, field(1, b"") * count)))),
}
"""Log requests with so many of something, by what."""

TRACES: Mapping[str, Callable[[int], bytes]] = {
    "spans": lambda count: request(field(2, b"") * count),
    "span events": lambda count: request(field(2, _SPAN + field(11, b"") * count)),
    "links": lambda count: request(field(2, _SPAN + field(13, b"") * count)),
}
"""Trace requests."""

JSON: Mapping[str, Callable[[int], bytes]] = {
    "resources": lambda count: b'{"resourceLogs":[' + b",".join([b"{}"] * count) + b"]}",
    "numbers": lambda count: b'{"x":[' + b",".join([b"1"] * count) + b"]}",
    "lists in lists": lambda count: b'{"x":[' + b",".join([b"[[]]"] * (count // 2)) + b"]}",
    "keys": lambda count: b"{" + b",".join([b'"%d":1' % number for number in range(count)]) + b"}",
    "quotes": lambda count: b'{"x":"' + b'\\",' * count,
}
"""Log requests in JSON; the last one is a text that does not end."""


def product_logs(count: int, *, texts: int = 1) -> bytes:
    """Return a request of `count` log-based events that are equal, each with so many texts to look through."""
    attributes = b"".join(
        field(6, field(1, b"analytics.%d" % number) + field(2, field(1, b"a 1@b 2:c "))) for number in range(texts)
    )
    return request(field(2, _RECORD + attributes) * count)
