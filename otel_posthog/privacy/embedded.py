"""JSON inside a string: opened, so that its keys and depth count like those of the properties around it.

Text that only looks like JSON, or that is nested past what the parser bears, is left to the detectors as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Embedded:
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


_BEFORE_JSON = frozenset("{[ \t\r\n")


def may_be_json(text: str) -> bool:
    """Return whether `text` begins as a list or a map does: almost none does, and this costs next to nothing."""
    return text[:1] in _BEFORE_JSON


def parse(text: str) -> Embedded | None:
    """Return the JSON list or map that `text` is, or None."""
    first, last = text[:1], text[-1:]
    if not ((first == "{" and last == "}") or (first == "[" and last == "]")):
        stripped = text.strip()
        return parse(stripped) if stripped != text else None
    repeated: list[bool] = []
    try:
        document = json.loads(text, object_pairs_hook=_object_hook(repeated))
    except (ValueError, RecursionError):
        return None
    return Embedded(document, bool(repeated), '": ' in text or ('":' not in text and ", " in text))


def _object_hook(repeated: list[bool]) -> Callable[[list[tuple[str, object]]], dict[str, object]]:
    def hook(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            repeated.append(True)
        return found

    return hook
