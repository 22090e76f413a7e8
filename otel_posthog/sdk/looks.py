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
    # `add_span_processor(span_processor)`, `_set_tracer_provider(tracer_provider)`: all of them are made like that.
    keyword = name.lstrip("_").partition("_")[2]

    def see_and_call(*args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            see(args[0] if args else kwargs.get(keyword, next(iter(kwargs.values()))))
        return call(*args, **kwargs)

    setattr(owner, name, see_and_call)
    return True
