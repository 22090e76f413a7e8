"""What other people's code logs for each request, once a minute: whoever sends decides how often that would be."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

PERIOD_S = 60.0
_LOGGERS = ("uvicorn.error", "asyncio", "grpc")


class OncePerMinute(logging.Filter):
    """Lets one line of a kind through in a minute, and has the next one say how many it stands for.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next: dict[str, float] = {}
        self._left_out: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether `record` is to be written."""
        # The message before anything is put into it: one kind for each place in the code.
        kind, now = f"{record.pathname}:{record.lineno}", self._clock()
        if now < self._next.get(kind, 0.0):
            self._left_out[kind] += 1
            return False
        self._next[kind] = now + PERIOD_S
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it)", ()
        return True


def limit_log_lines() -> None:
    """Apply it to what the servers log."""
    limit = OncePerMinute()
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(limit)
