"""Texts that a regular expression matches, made from the expression itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from random import Random
from typing import Any

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_parse as parser

_ALNUM = "a7Zk3Qx9Lm2Wd8Rt5Vb6Yc4Nf1Hg0Js"
_TRIES = 200_000


def matching(pattern: str, dice: Random, is_one: Callable[[str], bool] = lambda _: True, flags: int = 0) -> str:
    """Return a text that `pattern` matches as a whole, and that `is_one`: with check digits that hold, for instance.

    Raises:
        LookupError: None was met.
    """
    parsed, compiled = parser.parse(pattern, flags), re.compile(pattern, flags)
    for _ in range(_TRIES):
        made = _of(parsed, dice)
        if compiled.fullmatch(made) and is_one(made):
            return made
    raise LookupError(pattern)


def _of(parsed: Any, dice: Random) -> str:
    groups: dict[int, str] = {}
    return "".join(_part(str(kind), value, dice, groups) for kind, value in parsed)


def _part(kind: str, value: Any, dice: Random, groups: dict[int, str]) -> str:  # noqa: PLR0911 - one for each kind
    if kind == "LITERAL":
        return chr(value)
    if kind == "IN":
        return dice.choice(_members(value))
    if kind in {"MAX_REPEAT", "MIN_REPEAT"}:
        least, most, what = value
        return "".join(_all(what, dice, groups) for _ in range(dice.randint(least, min(int(most), least + 2))))
    if kind == "SUBPATTERN":
        made = _all(value[3], dice, groups)
        if value[0] is not None:
            groups[value[0]] = made
        return made
    if kind == "BRANCH":
        return _all(dice.choice(value[1]), dice, groups)
    if kind == "GROUPREF":
        return groups[value]
    if kind in {"NOT_LITERAL", "ANY"}:
        return dice.choice(_ALNUM)
    return ""


def _all(parsed: Any, dice: Random, groups: dict[int, str]) -> str:
    return "".join(_part(str(kind), value, dice, groups) for kind, value in parsed)


def _members(value: Any) -> str:
    if str(value[0][0]) == "NEGATE":
        return _ALNUM
    found = ""
    for kind, what in value:
        if str(kind) == "LITERAL":
            found += chr(what)
        elif str(kind) == "RANGE":
            found += "".join(map(chr, range(what[0], what[1] + 1)))
        elif str(what) == "CATEGORY_DIGIT":
            found += "0123456789"
        else:
            found += _ALNUM
    return found
