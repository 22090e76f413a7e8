"""Runs a method before `os._exit`, which ends a process at once: no exit handler, no thread gets to finish.

Children of a fork end that way: those of `multiprocessing`, `concurrent.futures` and celery, and many of people's own.
What they emitted in their last millisecond is in memory still, and Python has no other place where it could be saved.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import NoReturn

_methods: list[weakref.WeakMethod[Callable[[], object]]] = []
_is_wrapped = False


def before_os_exit(method: Callable[[], object]) -> None:
    """Call the bound `method` before each later `os._exit`, without keeping its object alive for that.

    Args:
        method: Must be quick; what it raises is nobody's concern any more.
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
