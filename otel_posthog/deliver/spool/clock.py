"""The time that a process's events are stored at: that of its start, counted on by a clock that never jumps."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds since 1970 that a clock set to another year meanwhile does not change."""

    def __init__(self) -> None:
        self._start_ns = time.time_ns() - time.monotonic_ns()

    def __call__(self) -> int:
        """Return the time."""
        return (self._start_ns + time.monotonic_ns()) // 1_000_000
