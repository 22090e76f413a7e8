"""Whether the files of a policy have changed: by their times, sizes and inodes, without a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path


class Watch:
    """Notices when one of some files has changed.

    Args:
        files: Their paths; a link is followed, so that a new target counts as a change.
        interval_s: The least time between two looks.
        clock: Monotonic seconds; tests pass their own.
    """

    def __init__(self, files: Sequence[str], interval_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._files, self._interval_s, self._clock = tuple(files), interval_s, clock
        self._next = clock() + interval_s
        self._seen = self._look()

    def has_changed(self) -> bool:
        """Return True once for each change that is seen; at most one look per interval."""
        if self._clock() < self._next:
            return False
        self._next = self._clock() + self._interval_s
        seen = self._look()
        changed, self._seen = seen != self._seen, seen
        return changed

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_state(path) for path in self._files)


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
