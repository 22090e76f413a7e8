"""What all benchmarks share: what an argument may be, what they hand back, and how figures are shown.

A `Spread` is one figure over the rounds of a run: its median, least and greatest.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


def count(text: str) -> int:
    """Return a number of at least 1.

    Raises:
        ArgumentTypeError: It is less.
        ValueError: It is no number.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


Say = Callable[[str], None]
"""Takes one line about progress."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one benchmark.

    Attributes:
        text: Tables and verdicts, to print.
        figures: The same, for JSON.
    """

    text: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle, the least and the greatest of some rounds."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of `values`, one for each round.

        Raises:
            StatisticsError: There are none.
        """
        kept = list(values)
        return cls(median(kept), min(kept), max(kept))

    def shown(self, digits: int) -> str:
        """Return it as `median (min-max)`."""
        return f"{self.median:.{digits}f} ({self.min:.{digits}f}-{self.max:.{digits}f})"

    def figures(self) -> dict[str, float]:
        """Return it for JSON."""
        return asdict(self)

    @property
    def noise(self) -> float:
        """How far the farthest round is from 1, as a factor of at least 1; of ratios of a program to itself."""
        return max(self.max, 1 / self.min)

    def is_within(self, noise: float) -> bool:
        """Return whether the median, a ratio, is no farther from 1 than the factor `noise`."""
        return 1 / noise <= self.median <= noise


def ratios(ones: Sequence[float], others: Sequence[float]) -> Spread:
    """Return the spread of one program's rounds divided by the same rounds of another."""
    return Spread.of(one / other for one, other in zip(ones, others, strict=True))


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


GAP = "  "


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows`, the first of them the head, in aligned columns: the first to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join((lines[0], "-" * len(lines[0]), *lines[1:]))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return GAP.join((first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))))
