"""Who acts in a request: one record for all that gets its context, written by whoever learns more."""

from __future__ import annotations

import os
import threading

from otel_posthog.actor.statement import NOBODY, Statement, combined, come_to_act, merged
from otel_posthog.model import ContextIdentity

# Reentrant: a signal handler may write while this thread is inside.
_writing = threading.RLock()


class Record:
    """The actor of one request.

    Attributes:
        identity: Who acts now; what is read stays as it is, a write replaces it.
    """

    identity: ContextIdentity = NOBODY

    def say(self, said: Statement, in_force: str | None = None) -> None:
        """Take a statement: another user wins from now on, a denial for ever.

        Args:
            said: The statement.
            in_force: Who acts by the blocks around it.
        """
        with _writing:
            self.identity = come_to_act(merged(self.identity, said, in_force))

    def begin_with(self, around: ContextIdentity) -> None:
        """Take who acts where the request begins, for what nobody says inside it."""
        with _writing:
            self.identity = combined(self.identity, around) or around


def _renew_lock() -> None:
    """Have no child of a fork wait for a thread that it does not have."""
    global _writing
    _writing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
