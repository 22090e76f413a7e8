"""Starts the package's threads: daemons, so that none holds an exit back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from otel_posthog.inside import Inside
from otel_posthog.locks import Event, is_taken_over, real_ident, real_threads, start_thread


class Daemon(Protocol):
    """A thread of ours, as far as anybody asks of it."""

    def is_alive(self) -> bool:
        """Return whether it is at work."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""


def start_daemon(name: str, work: Callable[[], object]) -> Daemon | None:
    """Return a started thread that does `work`; None where the interpreter is shutting down and starts none (3.12+).

    Whoever gets None does the work in a flush of its own, on the thread that asks for it.
    """

    def run() -> None:
        with Inside():
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
