"""Which threads are at the pipeline's own work just now.

A signal handler or a finalizer may run in the middle of that, on the same thread, and emit an event. Were it to do the
worker's job there and then, it would find things half done, or wait for a lock that another thread holds which waits
for one of this thread's. So its event is queued instead, whatever the bounds say.
"""

from __future__ import annotations

import os
import threading

# By ident, not in a `threading.local`: one that was made before gevent took over is shared by all its greenlets.
_threads: set[int] = set()


class Inside:
    """For a `with` around such work; it may be entered again inside."""

    __slots__ = ("_ident", "_is_outermost")

    def __enter__(self) -> None:
        self._ident = threading.get_ident()
        self._is_outermost = self._ident not in _threads
        _threads.add(self._ident)

    def __exit__(self, *_: object) -> None:
        if self._is_outermost:
            _threads.discard(self._ident)


def is_inside() -> bool:
    """Return whether this thread is inside."""
    return threading.get_ident() in _threads


if hasattr(os, "register_at_fork"):
    # The parent's threads are not there, and a thread of the child may get the ident of one.
    os.register_at_fork(after_in_child=_threads.clear)
