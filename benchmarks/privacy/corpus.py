"""The rows of a corpus: JSON lines, each a labelled value."""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled value.

    Attributes:
        key: The property's key.
        value: Any JSON value.
        pii: The substrings that must not survive; empty for a harmless value.
        tier: `core` for what a filter without configuration has to catch, `context` for what needs the key, others.
    """

    key: str
    value: Any
    pii: tuple[str, ...]
    tier: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a filter made of a row: the value that is left, or None, and how long it took."""

    value: Any
    micros: float | None = None


def read(path: Path) -> list[Row]:
    """Return the rows of the file at `path`."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        read_rows = [json.loads(line) for line in lines if line.strip()]
    return [
        Row(each["key"], each["value"], tuple(each.get("pii") or ()), each.get("tier", "core")) for each in read_rows
    ]
