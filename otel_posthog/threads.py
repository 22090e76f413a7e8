"""Threads of ours, and the locks and events that they wait on; which of them are at the pipeline's work just now.

gevent and eventlet put greenlets in the place of threads, at times after set-up: gunicorn's gevent workers, Celery's
pools. Half of the one kind and half of the other, a worker dies and a wait does not end. So whatever was there at the
import of this module stays: where that was threads, ours are threads for as long as the process lives, and a greenlet
that waits for one lets the others run.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any, Protocol

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


class Daemon(Protocol):
    """A thread that this package started."""

    def is_alive(self) -> bool:
        """Return whether it is at work."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""


def start_daemon(name: str, work: Callable[[], object]) -> Daemon | None:
    """Return a started thread that does `work`; None where the interpreter is shutting down and starts none (3.12+).

    Where it is None, the work is done by a flush, on the thread that calls that.
    """

    def run() -> None:
        with PipelineWork():
            work()

    try:
        if is_taken_over():
            return _RealThread(run)
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
    except RuntimeError:
        return None
    return thread


class _RealThread:
    """A thread where `threading.Thread` would be a greenlet, which no busy greenlet can keep from its work."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run, self._ended = run, Event()
        start_thread(self._work, ())

    def is_alive(self) -> bool:
        """Return whether it is at work."""
        return not self._ended.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        self._ended.wait(timeout)

    def _work(self) -> None:
        ident = real_ident()
        real_threads.add(ident)
        try:
            self._run()
        finally:
            real_threads.discard(ident)
            self._ended.set()


class Event:
    """As `threading.Event`, for waiting until it is set; it is never cleared."""

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
        """Release the lock until notified, or until `timeout_s` has passed, and take it again."""
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
        """Release the lock, and return how many times it was held."""
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


# By ident, not in a `threading.local`: one that was made before gevent took over is shared by all its greenlets.
_at_work: set[int] = set()


class PipelineWork:
    """For a `with` around the pipeline's own work on this thread; it may be entered again inside.

    A signal handler or a finalizer may run in the middle of that, on the same thread, and emit an event. Were it to do
    the worker's job there and then, it would find things half done, or wait for a lock that another thread holds which
    waits for one of this thread's. So its event is queued instead, whatever the bounds say.
    """

    __slots__ = ("_ident", "_is_outermost")

    def __enter__(self) -> None:
        self._ident = threading.get_ident()
        self._is_outermost = self._ident not in _at_work
        _at_work.add(self._ident)

    def __exit__(self, *_: object) -> None:
        if self._is_outermost:
            _at_work.discard(self._ident)


def is_pipeline_work() -> bool:
    """Return whether this thread is at the pipeline's own work."""
    return threading.get_ident() in _at_work


if hasattr(os, "register_at_fork"):
    # The parent's threads are not there, and a thread of the child may get the ident of one.
    os.register_at_fork(after_in_child=_at_work.clear)
