"""Syncs full segments in the background: who appends never waits for a disk to flush.

A thread lives for as long as there is something to sync, and no longer. Where none can be started (an interpreter that
is shutting down), whoever adds a segment syncs it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from otel_posthog.deliver.spool.files import Files
from otel_posthog.threads import RLock, start_daemon

# Segments that may wait; a disk that is further behind is waited for, or open files would have no bound.
MAX_WAITING = 16


class Syncing:
    """The segments that are to be synced and closed.

    Args:
        files: The file system.
        failed: Told of an error; it must not raise.
    """

    def __init__(self, files: Files, failed: Callable[[OSError], None]) -> None:
        self._files, self._failed = files, failed
        self._lock = RLock()
        self._waiting: deque[tuple[int, Path]] = deque()
        self._is_running = False

    def add(self, descriptor: int, directory: Path) -> None:
        """Sync the segment, then the directory that it was created in, then close it."""
        with self._lock:
            is_behind = len(self._waiting) >= MAX_WAITING
            if not is_behind:
                self._waiting.append((descriptor, directory))
                if self._is_running:
                    return
                self._is_running = True
        if is_behind:
            self.now(descriptor, directory)
            self._files.close(descriptor)
            return
        if start_daemon("otel-posthog-sync", self._run) is None:
            self._run()

    def now(self, descriptor: int, directory: Path) -> None:
        """Sync a segment that stays open, here."""
        try:
            self._files.sync(descriptor)
            self._files.sync_directory(directory)
        except FileNotFoundError:
            pass  # all of it was delivered meanwhile
        except OSError as error:
            self._failed(error)

    def forget(self) -> None:
        """Close what waits, in the child of a fork; the parent syncs it."""
        while self._waiting:
            self._files.close(self._waiting.popleft()[0])

    def _run(self) -> None:
        while self._next():
            pass

    def _next(self) -> bool:
        with self._lock:
            if not self._waiting:
                self._is_running = False
                return False
            descriptor, directory = self._waiting.popleft()
        self.now(descriptor, directory)
        self._files.close(descriptor)
        return True
