"""What a start leaves for later: made when it is first needed, or before the process first forks.

That is on the worker, on an exporter's thread, or on a thread of the app that does the worker's job. Before a fork,
because the children then share the memory of it, and because a child that is forked while another thread imports a
module waits for that module for ever. So whatever else a thread of ours imports is imported under the same lock.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from otel_posthog.threads import RLock

_T = TypeVar("_T")
_waiting: weakref.WeakSet[Later[Any]] = weakref.WeakSet()

no_fork = RLock()
"""Hold this while a thread of ours imports: no fork begins before it is released."""


class Later(Generic[_T]):
    """Something that is made once, by the first thread that needs it.

    Args:
        make: Makes it; called again by the next who needs it where it raises.
    """

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._made: _T | None = None
        _waiting.add(self)

    def get(self) -> _T:
        """Return it."""
        made = self._made
        if made is None:
            with no_fork:
                made = self._made
                if made is None:
                    made = self._made = self._make()
                    _waiting.discard(self)
        return made


def _before_fork() -> None:
    no_fork.acquire()
    for each in list(_waiting):
        # Whoever needs it next hears of it.
        with suppress(Exception):
            each.get()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=no_fork.release, after_in_child=no_fork.release)
