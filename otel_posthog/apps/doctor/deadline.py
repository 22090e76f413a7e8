"""When an examination ends: each step takes what it may of the time that is left, and none is begun with too little."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

# A host that has less to answer in is not told of as silent.
LEAST_S = 0.2


class TimeOverError(Exception):
    """Too little is left of the time to say anything of a host or a process."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time up to which something may take.

    Attributes:
        at_s: On the clock of `time.monotonic()`.
    """

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the one that is so many seconds away."""
        return cls(time.monotonic() + seconds)

    def before(self, seconds: float) -> Deadline:
        """Return one that is so many seconds earlier."""
        return Deadline(self.at_s - seconds)

    def later(self, seconds: float) -> Deadline:
        """Return one that is so many seconds later."""
        return Deadline(self.at_s + seconds)

    @property
    def left_s(self) -> float:
        """How long it is until then."""
        return max(0.0, self.at_s - time.monotonic())

    def step_s(self, most_s: float = math.inf) -> float:
        """Return how long a step may take: `most_s`, or what is left.

        Raises:
            TimeOverError: That is less than `LEAST_S`.
        """
        left_s = self.left_s
        if left_s < LEAST_S:
            raise TimeOverError
        return min(most_s, left_s)
