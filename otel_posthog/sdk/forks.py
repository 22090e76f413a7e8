"""Forks: what the SDK's providers do in a child, and what this package's imports must not do to them.

A provider (SDK 1.42 or newer) reads the process's resource anew in the child of every fork, with a thread pool. Where
`concurrent.futures.thread` is imported after the provider was made, the child comes to the provider's hook before that
module's own, which frees the lock that the module takes for each fork: the child would wait for ever. The SDK's own
`_logs` imports it, and so does this package, which must not break providers made before.
"""

from __future__ import annotations

import concurrent.futures.thread
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

# Where providers look for it when they are called in a child.
_MODULES = ("opentelemetry.sdk.trace", "opentelemetry.sdk.metrics._internal", "opentelemetry.sdk._logs._internal")
_NAME = "_get_process_dependent_resource"

_Read = Callable[[], Any]


def keep_children_from_waiting() -> None:
    """Have providers that are made already find the thread pool's lock free in a child.

    Providers that are made later come after the module's hook. Where this SDK has no such function, none waits.
    """
    for name in _MODULES:
        module = sys.modules.get(name)
        read = getattr(module, _NAME, None)
        if read is not None:
            setattr(module, _NAME, _with_free_lock(read))


def _with_free_lock(read: _Read) -> _Read:
    pid = os.getpid()

    @wraps(read)
    def read_in_child() -> Any:
        nonlocal pid
        # Once in each child, and never elsewhere, where another thread may hold it with reason.
        if pid != os.getpid():
            pid = os.getpid()
            _free_lock()
        return read()

    return read_in_child


def _free_lock() -> None:
    lock = getattr(concurrent.futures.thread, "_global_shutdown_lock", None)
    # As the module's own hook does a moment later.
    free = getattr(lock, "_at_fork_reinit", None)
    if free is not None:
        free()
