"""Keeps a batch that is halved again and again from flooding the server with its halves."""

from __future__ import annotations

import time
from collections.abc import Callable

# One bad event in a batch of 100 takes at most 14 requests; a server that refuses everything gets 4 a second.
BURST, PER_SECOND = 16.0, 4.0


class Pace:
    """A token bucket for the requests that follow a refusal.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._at = BURST, clock()

    def delay_s(self) -> float:
        """Take one request from the bucket; return how long to wait before it is made."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND) - 1.0
        self._at = now
        return max(0.0, -self._left / PER_SECOND)
