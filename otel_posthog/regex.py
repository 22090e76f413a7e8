"""Regular expressions that are compiled when they are first used.

There are some two hundred here, most of them the detectors', and to compile them takes a third as long as all else that
a start does. Texts that have nothing to hide come to a few of them only. From then on the module that made one has the
expression itself under its name: to look a method up in anything else takes longer, with every search. What application
threads search with is compiled at import (`re.compile`), while nobody waits for a request.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, cast

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")
_FACTS = ("pattern", "flags", "groups", "groupindex")


class Compiled:
    """A late expression from its first use on; the methods of the expression are its attributes."""

    __slots__ = ("__dict__", "_given", "_names")


class Late(Compiled):
    """A late expression that was not used yet.

    Args:
        pattern: As `re.compile` takes it.
        flags: The same.
        names: Of the module that makes it, with what they stand for.
    """

    __slots__ = ()

    def __init__(self, pattern: str, flags: int, names: dict[str, Any]) -> None:
        self._given, self._names = (pattern, flags), names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = re.compile(*self._given)
        # Threads that come here at once all set the same; no name is added, so that others may go through them.
        for each, what in list(self._names.items()):
            if what is self:
                self._names[each] = compiled
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
    here = inspect.currentframe()
    made_by = here.f_back if here is not None else None
    return cast("re.Pattern[str]", Late(pattern, flags, made_by.f_globals if made_by is not None else {}))


# Beside its capital: what is the same letter without regard to case (`re` takes them all for it).
_MORE = {"i": "\u0130\u0131", "k": "\u212a", "s": "\u017f"}


def by_first_letter(alternatives: str, *, ignore_case: bool = False) -> str:
    """Return what `alternatives` are, in fewer steps: where none begins with a letter, one comparison tells.

    Args:
        alternatives: Patterns with `|` between them; those that begin with a letter are put together by it.
        ignore_case: Whether they match in any case.
    """
    by_letter: dict[str, list[str]] = {}
    for each in _parted(alternatives):
        first = each[0] if each[0].isalpha() and each[1:2] not in {"?", "*", "{"} else ""
        by_letter.setdefault(first.lower() if ignore_case else first, []).append(each[len(first) :])
    groups = []
    for first, rests in by_letter.items():
        rest = f"{'(?i:' if ignore_case else '(?:'}{'|'.join(rests)})"
        either = f"[{first}{first.upper()}{_MORE.get(first, '')}]" if ignore_case and first else first
        groups.append(f"{either}{rest}")
    return "|".join(groups)


def _parted(alternatives: str) -> list[str]:
    """Return the alternatives of a pattern whose brackets are those of groups alone."""
    parts, depth = [""], 0
    for char in alternatives:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts
