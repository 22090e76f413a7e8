"""What a start leaves for later: made when it is first needed, or before the process first forks or has greenlets.

That is on the worker, on an exporter's thread, or on a thread of the app that does the worker's job. Before a fork,
because the children then share the memory of it, and because a child that is forked while another thread imports a
module waits for that module for ever. So whatever else a thread of ours imports is imported under the same lock.
Before greenlets, because eventlet puts locks of its own in the place of those that imports take: a greenlet that waits
for one which a thread has is never woken.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from otel_posthog.threads import RLock

_T = TypeVar("_T")
_waiting: weakref.WeakSet[Later[Any]] = weakref.WeakSet()

_GREENLETS = frozenset({"eventlet", "gevent"})

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
        if _GREENLETS.isdisjoint(sys.modules):
            _waiting.add(self)
            _watch_imports()
        else:
            self.get()

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


class _Imports:
    """Sees on `sys.meta_path` that greenlets are imported, before they are put in the place of threads."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        """Make what waits where `name` brings greenlets; find nothing."""
        if name in _GREENLETS:
            sys.meta_path.remove(self)
            with no_fork:
                _make_all()


_imports = _Imports()


def _watch_imports() -> None:
    if _imports not in sys.meta_path:
        sys.meta_path.insert(0, _imports)


def _make_all() -> None:
    for each in list(_waiting):
        # Whoever needs it next hears of it.
        with suppress(Exception):
            each.get()


def _before_fork() -> None:
    no_fork.acquire()
    _make_all()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=no_fork.release, after_in_child=no_fork.release)
