"""Who acts in a request: one record for all that gets its context, written by whoever learns more."""

from __future__ import annotations

import os
import threading

from otel_posthog.actor.statement import NOBODY, Statement, merged
from otel_posthog.model import ContextIdentity

# Reentrant: a signal handler may write while this thread is inside.
_writing = threading.RLock()


class Record:
    """The actor of one request.

    Attributes:
        identity: Who acts now; what is read stays as it is, a write replaces it.
    """

    identity: ContextIdentity = NOBODY

    def say(self, said: Statement) -> None:
        """Take a statement: another user wins from now on, a denial for ever."""
        with _writing:
            self.identity = merged(self.identity, said)


def _renew_lock() -> None:
    """Have no child of a fork wait for a thread that it does not have."""
    global _writing
    _writing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
