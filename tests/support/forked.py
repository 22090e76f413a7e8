"""Runs something in the child of a fork, and never waits for ever for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

TIMEOUT_S = 60


def in_child(work: Callable[[], bool]) -> bool:
    """Return what `work` returns in the child of a fork; False where it raised, hung or was killed."""
    child = os.fork()
    if child == 0:
        # A child that inherited a held lock would hang: the alarm ends it, whatever it waits for.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(TIMEOUT_S)
        done = False
        try:
            done = work()
        finally:
            os._exit(0 if done else 1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0
