"""Functions that stand around those of a library which has no better place for a hook, and are taken out again.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

Undo = Callable[[], None]
"""Takes a function out again."""

Around = Callable[..., Any]
"""Called with the function that it stands around, and the arguments."""


def put_around(cls: type, name: str, around: Around) -> Undo:
    """Have `around` stand around a function of a class, in the class that has it itself.

    Instrumentations put a class of their own, inside of which nothing is, in the place of a library's.

    A plain function does: tools that take their own wrappers off by looking for `wrapt`'s leave it alone.

    Args:
        cls: The class.
        name: Of the function or class method.
        around: Gets the function and the arguments; it calls the one with the others.

    Returns:
        What takes it out. Where others stand around it by then it stays, and does nothing.
    """
    owner = next(each for each in cls.__mro__ if name in vars(each))
    given = vars(owner)[name]
    inner = given.__func__ if isinstance(given, classmethod) else given
    is_on = True

    @wraps(inner)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return around(inner, *args, **kwargs) if is_on else inner(*args, **kwargs)

    ours = classmethod(wrapper) if isinstance(given, classmethod) else wrapper
    setattr(owner, name, ours)

    def undo() -> None:
        nonlocal is_on
        is_on = False
        if vars(owner).get(name) is ours:
            setattr(owner, name, given)

    return undo
