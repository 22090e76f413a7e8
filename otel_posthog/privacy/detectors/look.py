"""One cheap look at a text: what it consists of, and so which detectors need to look closer.

A search for one fixed character costs a fraction of a pattern's; most values are ruled out by these alone.
"""

from __future__ import annotations

import re

AT, COLON, EQUALS, DOT, DASH, SLASH, GAP, DIGIT, NUMBER, TOKEN, FLAG = (1 << bit for bit in range(11))

LONG_NUMBER = re.compile(r"[\d(][\d ().+/-]{7,}\d")
_DIGIT = re.compile(r"[0-9]")
# The shortest secret told by its shape alone.
_TOKEN_CHARS = 14
_TOKEN = re.compile(rf"[\w~+/=.:-]{{{_TOKEN_CHARS}}}")


def look(text: str) -> tuple[int, list[re.Match[str]]]:  # noqa: C901 - one line per thing seen
    """Return what `text`, without encodings, has of the above, and its long numbers."""
    seen = 0
    if "@" in text:
        seen = AT
    if ":" in text:
        seen |= COLON
    if "=" in text:
        seen |= EQUALS
    if "." in text:
        seen |= DOT
    if "-" in text:
        seen |= DASH | FLAG if "--" in text else DASH
    if "/" in text or "\\" in text:
        seen |= SLASH
    if " " in text or "+" in text or "\n" in text or "\t" in text:
        seen |= GAP
    runs: list[re.Match[str]] = []
    if _DIGIT.search(text):
        seen |= DIGIT
        if len(text) > 8:
            runs = list(LONG_NUMBER.finditer(text))
            if runs:
                seen |= NUMBER
    if len(text) >= _TOKEN_CHARS and _TOKEN.search(text):
        seen |= TOKEN
    return seen, runs
