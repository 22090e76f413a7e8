"""Names of journeys and steps, and reasons: words of which an app has a few, and nobody's own text is among them."""

from __future__ import annotations

import re
from enum import Enum

OTHER = "other"
"""Stands for what is no plain word."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)


def word(given: object) -> str:
    """Return `given` in lower case if it is a plain word of at most 40 letters, digits, `_`, `.` and `-`."""
    plain = given.value if isinstance(given, Enum) else given
    return plain.lower() if isinstance(plain, str) and _WORD.fullmatch(plain) else OTHER


def type_name(error: BaseException) -> str:
    """Return the name of an error's type; its message is not looked at."""
    name = type(error).__name__
    return name if _WORD.fullmatch(name) else OTHER
