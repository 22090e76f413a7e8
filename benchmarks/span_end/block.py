"""Measures a block of operations, one by one."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.span_end.contender import Operation


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
    """Collect before and not during: whose garbage it is cannot be told."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
