"""Regular expressions that are compiled when they are first used.

There are some two hundred here, most of them the detectors', and to compile them takes a third as long as all else that
a start does. Texts that have nothing to hide come to a few of them only. What application threads search with is
compiled at import (`re.compile`), while nobody waits for a request.
"""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")
_FACTS = ("pattern", "flags", "groups", "groupindex")


class Compiled:
    """A late expression from its first use on; the methods of the expression are its attributes."""

    __slots__ = ("__dict__", "_given")


class Late(Compiled):
    """A late expression that was not used yet.

    Args:
        pattern: As `re.compile` takes it.
        flags: The same.
    """

    __slots__ = ()

    def __init__(self, pattern: str, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = re.compile(*self._given)
        # Threads that come here at once all set the same.
        self.__dict__.update({each: getattr(compiled, each) for each in (*_METHODS, *_FACTS)})
        # Without a `__getattr__` an attribute is found in half the time.
        self.__class__ = Compiled  # type: ignore[assignment]
        return getattr(compiled, name)


def regex(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return the expression `pattern`, which is compiled when it is first used.

    Args:
        pattern: As `re.compile` takes it.
        flags: The same.
    """
    return cast("re.Pattern[str]", Late(pattern, flags))
