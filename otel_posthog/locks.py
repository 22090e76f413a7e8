"""Locks, and what waits on them, of the kind that there is when this package is imported.

gevent and eventlet put greenlets in the place of threads, at times after set-up: gunicorn's gevent workers, Celery's
pools. Half of the one kind and half of the other, a worker dies and a wait does not end. So whatever was there first
stays: with threads at import, ours are threads for as long as the process lives, and a greenlet that waits for one lets
the others run.
"""

from __future__ import annotations

import _thread
import threading
import time
from contextlib import suppress
from math import inf
from typing import Any

Lock = _thread.allocate_lock
# The module's own function would answer with another kind once it is patched; the C type is what it answers before.
RLock: Any = _thread.RLock if type(threading.RLock()) is _thread.RLock else threading.RLock
start_thread = _thread.start_new_thread

# How soon a greenlet sees that what it waits for is there.
_LOOK_S = 0.005
# Our own threads among greenlets: they are real ones, and wait as such. Each forgets itself when it ends.
real_threads: set[int] = set()
real_ident = _thread.get_ident


def is_taken_over() -> bool:
    """Return whether greenlets have come into the place of threads since this package was imported."""
    return _thread.start_new_thread is not start_thread


def _acquire(lock: Any, timeout_s: float | None) -> bool:
    timeout_s = inf if timeout_s is None else max(0.0, timeout_s)
    if not is_taken_over() or real_ident() in real_threads:
        return bool(lock.acquire(True, min(timeout_s, threading.TIMEOUT_MAX)))
    until = time.monotonic() + timeout_s
    while not lock.acquire(False):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_S)
    return True


class Event:
    """As `threading.Event`: somebody waits until it is set, once and for all."""

    def __init__(self) -> None:
        self._is_set = False
        self._gate = Lock()
        self._gate.acquire()

    def is_set(self) -> bool:
        """Return whether it is."""
        return self._is_set

    def set(self) -> None:
        """Let all go on who wait, now or later."""
        self._is_set = True
        with suppress(RuntimeError):  # it was set before
            self._gate.release()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is set; return False where the time did not suffice."""
        if not self._is_set and _acquire(self._gate, timeout_s):
            # For the next who waits.
            with suppress(RuntimeError):
                self._gate.release()
        return self._is_set


class Condition:
    """As `threading.Condition`, for those who hold its lock.

    Args:
        lock: An `RLock`.
    """

    def __init__(self, lock: Any) -> None:
        self._lock = lock
        self._waiters: list[Any] = []

    def wait(self, timeout_s: float | None = None) -> bool:
        """Let go of the lock until somebody notifies, or `timeout_s` has passed, and take it again."""
        waiter = Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        depth = self._released()
        try:
            return _acquire(waiter, timeout_s)
        finally:
            for _ in range(depth):
                self._lock.acquire()
            with suppress(ValueError):  # who notified has taken it off
                self._waiters.remove(waiter)

    def _released(self) -> int:
        """Let go of the lock, and return how many times it was held."""
        depth = 0
        with suppress(RuntimeError):  # it is not ours any more
            while True:
                self._lock.release()
                depth += 1
        return depth

    def notify_all(self) -> None:
        """Wake all who wait."""
        waiters, self._waiters = self._waiters, []
        for each in waiters:
            each.release()
