"""The fields of a JSON object, each read as the type that the format gives it, or refused with its path.

A field that is missing or null has the default of its type, as in protobuf; fields that are not asked for are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otel_posthog.errors import MalformedTelemetry

_HEX = re.compile(r"[0-9A-Fa-f]+")
_DECIMAL = re.compile(r"-?[0-9]{1,20}")
INT64, UINT64 = range(-(2**63), 2**63), range(2**64)


@dataclass(frozen=True, slots=True)
class Fields:
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
        return 0 if value is None else whole_number(value, allowed, self.at(name))

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
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        bits = "unsigned 64 bits" if allowed is UINT64 else "64 bits"
        raise MalformedTelemetry(path, f"must be an integer of {bits}, as a decimal string or a number")
    return value
