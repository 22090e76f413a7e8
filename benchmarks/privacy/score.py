"""The rows of a corpus (JSON lines, each a labelled value), and what is counted over a filter's answers.

Counted are caught values, harmless values that were altered, and the text around a hit that was kept.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import quote, unquote


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


HEAD = ("filter", "core recall", "context recall", "harmless altered", "kept", "mean us", "p99 us")
_WORD = re.compile(r"\w{2,}")


@dataclass(frozen=True, slots=True)
class Score:
    """Shares between 0 and 1; None where there was nothing to count.

    Attributes:
        core: Caught of the tier `core`.
        context: Caught of the tier `context`.
        altered: Harmless values that came back with another value or type, or not at all.
        kept: Of the words around what was caught (tier `core`), those that are still there.
        mean_us: Per value.
        p99_us: Per value.
    """

    core: float | None
    context: float | None
    altered: float | None
    kept: float | None
    mean_us: float | None
    p99_us: float | None

    def figures(self) -> dict[str, float | None]:
        """Return everything by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def cells(self) -> list[str]:
        """Return what stands in the table."""
        shares = ["-" if each is None else f"{each:.1%}" for each in (self.core, self.context, self.altered, self.kept)]
        return [*shares, *("-" if each is None else f"{each:.1f}" for each in (self.mean_us, self.p99_us))]


def score(rows: Sequence[Row], answers: Sequence[Answer]) -> Score:
    """Return how a filter did."""
    pairs = list(zip(rows, answers, strict=True))
    caught = {tier: [_is_caught(row, got) for row, got in pairs if row.pii and row.tier == tier] for tier in _TIERS}
    altered = [not _is_same(row.value, got.value) for row, got in pairs if not row.pii]
    core = [(row, got) for row, got in pairs if row.pii and row.tier == "core" and _is_caught(row, got)]
    times = sorted(got.micros for got in answers if got.micros is not None)
    return Score(
        core=_mean(caught["core"]),
        context=_mean(caught["context"]),
        altered=_mean(altered),
        kept=_mean([share for row, got in core if (share := _kept(row, got)) is not None]),
        mean_us=_mean(times),
        p99_us=times[int(len(times) * 0.99)] if times else None,
    )


_TIERS = ("core", "context")


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return fmean(listed) if listed else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _is_same(value: Any, other: Any) -> bool:
    return type(value) is type(other) and bool(value == other)


def _is_caught(row: Row, answer: Answer) -> bool:
    """Return whether none of the listed substrings is left, as it is, percent-encoded or escaped."""
    if answer.value is None:
        return True
    left = _text(answer.value)
    forms = {form for pii in row.pii for form in (pii, quote(pii, safe=""), unquote(pii), json.dumps(pii)[1:-1])}
    return not any(form in left for form in forms if form)


def _kept(row: Row, answer: Answer) -> float | None:
    """Return the share of words around what was caught that are left; None where there are none."""
    around = [_text(row.value)]
    for pii in row.pii:
        around = [part for text in around for part in text.split(pii)]
    words = [word for part in around if len(part.strip()) > 3 for word in _WORD.findall(part)]
    left = "" if answer.value is None else _text(answer.value)
    return sum(word in left for word in words) / len(words) if words else None
