"""What a detector is: a name, and a function that says where in a text it finds something."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Span = tuple[int, int]

LONG_NUMBER = re.compile(r"[\d(][\d ().+/-]{7,}\d")
"""Nine characters in a row of which a long number may consist."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one kind of value.

    Attributes:
        name: As the policy switches it on; also what stands in a hit's place, in brackets.
        find: Returns where the hits are, ascending and apart; works in time linear in the text.
        numeric: No hit is possible in a text without a digit.
        long_number: No hit is possible without nine characters in a row of which a long number may consist.
        in_versions: False where a version number looks like a hit; not asked about values of version-like keys then.
        encoded: Also asked about the text as it was, because decoding can hide a hit (`%2F` in a password in a URL).
    """

    name: str
    find: Callable[[str], list[Span]]
    numeric: bool = False
    long_number: bool = False
    in_versions: bool = True
    encoded: bool = False

    @property
    def marker(self) -> str:
        """What a hit is replaced by."""
        return f"[{self.name}]"
