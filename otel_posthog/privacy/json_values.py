"""JSON: values of the app's own types as the JSON types nearest to them, and JSON inside a string.

A string that is a JSON list or map is opened, so that its keys and its depth count like those of the properties around
it. Text that only looks like JSON, or that is nested deeper than the parser can go, is left to the detectors as text.
Never calls `repr` or `str` on an object of a class that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

from otel_posthog.model import GONE
from otel_posthog.values import decimal_number

JSON_STARTS = frozenset("{[ \t\r\n")
"""How a text begins that may be a list or a map: almost none does, and to look costs next to nothing."""


def as_json(value: object) -> object:  # noqa: PLR0911 - one line per type
    """Return `value` as the JSON type nearest to it; what there is none for as it is."""
    kind = type(value)
    if value is None or kind is dict or kind is list or kind is tuple or kind in (str, bool, int, float):
        return value
    if isinstance(value, Enum):
        return as_json(value.value)
    if isinstance(value, (bytes, bytearray)):
        return _decoded(bytes(value))
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (UUID, Decimal)):
        return str(value) if isinstance(value, UUID) else decimal_number(value)
    if isinstance(value, bool):
        return value
    # Subclasses might bring a `__str__` or `__eq__` of their own into what follows.
    for base in (str, int, float):
        if isinstance(value, base):
            return base.__str__(value) if base is str else base(value)
    return value


def _decoded(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return GONE


@dataclass(frozen=True, slots=True)
class EmbeddedJson:
    """A parsed document.

    Attributes:
        document: A list or a map.
        repeats_keys: Some key stands twice and hides a value from the parsed form; the text may not go on as it is.
        spaced: Whether it was written with spaces after its separators.
    """

    document: object
    repeats_keys: bool
    spaced: bool

    def text_of(self, document: object) -> str:
        """Return `document` written the way the original was."""
        separators = (", ", ": ") if self.spaced else (",", ":")
        return json.dumps(document, ensure_ascii=False, separators=separators)


def parse_json(text: str) -> EmbeddedJson | None:
    """Return the JSON list or map that `text` is, or None."""
    first, last = text[:1], text[-1:]
    if not ((first == "{" and last == "}") or (first == "[" and last == "]")):
        stripped = text.strip()
        return parse_json(stripped) if stripped != text else None
    repeated: list[bool] = []
    try:
        document = json.loads(text, object_pairs_hook=_object_hook(repeated))
    except (ValueError, RecursionError):
        return None
    return EmbeddedJson(document, bool(repeated), '": ' in text or ('":' not in text and ", " in text))


def _object_hook(repeated: list[bool]) -> Callable[[list[tuple[str, object]]], dict[str, object]]:
    def hook(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            repeated.append(True)
        return found

    return hook
