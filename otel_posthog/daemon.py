"""Starts the package's threads: daemons, so that none holds an exit back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from otel_posthog.inside import Inside


def start_daemon(name: str, work: Callable[[], object]) -> threading.Thread | None:
    """Return a started thread that does `work`; None where the interpreter is shutting down and starts none (3.12+).

    Whoever gets None does the work in a flush of its own, on the thread that asks for it.
    """

    def run() -> None:
        with Inside():
            work()

    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
