"""Runs a method in the child of every fork, for as long as its object lives."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable


def run_in_child(method: Callable[[], None]) -> None:
    """Call the bound `method` in the child of each later fork, without keeping its object alive for that."""
    if not hasattr(os, "register_at_fork"):
        return
    weak = weakref.WeakMethod(method)

    def after_in_child() -> None:
        alive = weak()
        if alive is not None:
            alive()

    os.register_at_fork(after_in_child=after_in_child)
