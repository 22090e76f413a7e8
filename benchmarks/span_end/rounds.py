"""The rounds: a block of operations of every contender, measured one by one, forwards and backwards through them."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from benchmarks.report import percentile
from benchmarks.span_end.contenders import Contender, Operation

BLOCK_OPERATIONS = 100
WARM_UP_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast operations follow one another.

    Attributes:
        name: As the tables call it.
        pause_s: Between the end of one operation and the start of the next.
    """

    name: str
    pause_s: float


PACES = (Pace("back to back", 0.0), Pace("1 ms apart", 0.001))


@dataclass(slots=True)
class Times:
    """What one contender's operations of one kind took.

    Attributes:
        rounds_us: The median of each round.
        all_us: Every operation.
    """

    rounds_us: list[float] = field(default_factory=list)
    all_us: list[float] = field(default_factory=list)

    def add(self, times_ns: Sequence[int]) -> None:
        """Add the operations of one block."""
        times_us = [each / 1000 for each in times_ns]
        self.rounds_us.append(median(times_us))
        self.all_us.extend(times_us)

    @property
    def p99_us(self) -> float:
        """What one operation in a hundred exceeds."""
        return percentile(self.all_us, 0.99)


def run_rounds(contenders: Sequence[Contender], kind: str, pace: Pace, rounds: int) -> dict[str, Times]:
    """Return the times of each contender's operation of one `kind` (`product`, `operational`), by its name."""
    able = [each for each in contenders if getattr(each, kind) is not None]
    times = {each.name: Times() for each in able}
    for index in range(-WARM_UP_ROUNDS, rounds):
        for each in reversed(able) if index % 2 else able:
            block_ns = measure(getattr(each, kind), BLOCK_OPERATIONS, pace.pause_s)
            each.settle()
            if index >= 0:
                times[each.name].add(block_ns)
    return times


def measure(operation: Operation, operations: int, pause_s: float) -> list[int]:
    """Return the nanoseconds of each of `operations` calls, with `pause_s` between one and the next."""
    clock_ns, sleep, times_ns = time.perf_counter_ns, time.sleep, []
    with _without_gc():
        for _ in range(operations):
            started_ns = clock_ns()
            operation()
            times_ns.append(clock_ns() - started_ns)
            if pause_s:
                sleep(pause_s)
    return times_ns


@contextmanager
def _without_gc() -> Iterator[None]:
    """Collect garbage before and not during the block: it may be any program's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
