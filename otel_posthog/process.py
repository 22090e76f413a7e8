"""The ends and the forks of the process: runs a method at a fork, or before the process exits at once.

At a fork it runs in the child (at its start or end) or in the parent, and each for as long as its object lives.
`os._exit` ends a process with no exit handler, and no thread gets to finish. Children of a fork end that way: those of
`multiprocessing`, `concurrent.futures` and Celery, and many of people's own. What they emitted in their last
millisecond is in memory still, and Python has no other place where it could be saved.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import Any, NoReturn

_methods: list[weakref.WeakMethod[Callable[[], object]]] = []
_is_wrapped = False


def run_in_child(method: Callable[[], None]) -> None:
    """Call the bound `method` in the child of each later fork, without keeping its object alive for that."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_while_alive(method))


def run_in_parent(method: Callable[[], None]) -> None:
    """Call the bound `method` in the parent after each later fork, without keeping its object alive for that."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_parent=_while_alive(method))


# The standard library's, and Celery's copy of it. Their children end by `os._exit`, which runs no `atexit`.
_ENDS_WITHOUT_ATEXIT = ("multiprocessing", "billiard")


def run_at_end_of_child(method: Callable[[], None]) -> None:
    """Call the bound `method` when a child ends that `multiprocessing` or Celery forked, later than its own finalizers.

    That is each later child, and this process where it is one.

    `multiprocessing` forgets all finalizers at a child's start and then calls what was registered for that moment, so
    that only there one can be registered. A child that ends itself by `os._exit` cannot be seen ending.
    """
    if not hasattr(os, "register_at_fork"):
        return
    weak = weakref.WeakMethod(method)

    def after_in_child() -> None:
        alive = weak()
        for name in _ENDS_WITHOUT_ATEXIT:
            util = sys.modules.get(f"{name}.util")
            if alive is not None and util is not None:
                # It is kept for as long as the object lives that is given here.
                util.register_after_fork(weak, partial(_finalize, util))

    os.register_at_fork(after_in_child=after_in_child)
    for name in _ENDS_WITHOUT_ATEXIT:
        process, util = sys.modules.get(f"{name}.process"), sys.modules.get(f"{name}.util")
        if process is not None and util is not None and _is_child(process):
            _finalize(util, weak)


def _is_child(process: Any) -> bool:
    return getattr(process.current_process(), "_parent_pid", None) is not None


def _while_alive(method: Callable[[], None]) -> Callable[[], None]:
    weak = weakref.WeakMethod(method)

    def call() -> None:
        alive = weak()
        if alive is not None:
            alive()

    return call


def _finalize(util: Any, weak: weakref.WeakMethod[Callable[[], None]]) -> None:
    alive = weak()
    if alive is not None:
        util.Finalize(None, _while_alive(alive), exitpriority=0)


def before_os_exit(method: Callable[[], object]) -> None:
    """Call the bound `method` before each later `os._exit`, without keeping its object alive for that.

    Args:
        method: Must be quick; what it raises is suppressed.
    """
    global _is_wrapped
    _methods.append(weakref.WeakMethod(method))
    if not _is_wrapped:
        _is_wrapped = True
        vars(os)["_exit"] = _wrapped(os._exit)


def _wrapped(real: Callable[[int], NoReturn]) -> Callable[[int], NoReturn]:
    @wraps(real)
    def exit_at_once(status: int) -> NoReturn:
        for each in _methods:
            method = each()
            if method is not None:
                # Whatever comes, a signal say: the process was told to end.
                with suppress(BaseException):
                    method()
        real(status)

    return exit_at_once
