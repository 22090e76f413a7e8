"""Looks at objects of somebody else's, and stands before their methods, whatever they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def look(item: object, name: str) -> Any:
    """Return an attribute of an object of somebody else's, or None, whatever looking at it does."""
    try:
        return getattr(item, name, None)
    except Exception:
        return None


def see_first(owner: object, name: str, see: Callable[[Any], None]) -> bool:
    """Have `see(item)` called before the method `name` of `owner` is; return False where it has none."""
    call = look(owner, name)
    if call is None:
        return False

    def see_and_call(item: Any, *args: Any, **kwargs: Any) -> Any:
        see(item)
        return call(item, *args, **kwargs)

    setattr(owner, name, see_and_call)
    return True
