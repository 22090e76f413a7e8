"""A number over the rounds of a run: its median and how far the rounds lie apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median


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
