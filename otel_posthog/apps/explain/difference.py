"""Two texts in, both in pieces out, each piece with whether the other text lacks it."""

from __future__ import annotations

import difflib
import re

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

Pieces = list[tuple[str, bool]]


def apart(before: str, after: str) -> tuple[Pieces, Pieces]:
    """Return both texts in pieces that are words or signs."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    left: Pieces = []
    right: Pieces = []
    for tag, old_start, old_end, new_start, new_end in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        left.append(("".join(old[old_start:old_end]), tag != "equal"))
        right.append(("".join(new[new_start:new_end]), tag != "equal"))
    return left, right
