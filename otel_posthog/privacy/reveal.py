r"""Undo the encodings behind which a value hides from a detector, and know where each character came from.

`jo%2540example.org` reads `jo@example.org` in the plain text; the offsets lead a hit there back to the text as it was.
Percent signs (in layers), `\u0040`, `&#64;`, full-width letters, non-Latin digits, odd spaces, zero-width characters.
Bytes above 0x7f become one character each: good enough to look at, never sent.
"""

from __future__ import annotations

import re
import unicodedata

MAX_LAYERS = 3  # `%252540`: a URL in a URL in a URL

_ZERO_WIDTH = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_SPACES = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
_DASHES = "\u2010-\u2015\u2212"
_ESCAPES = r"%[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|&#(?:[xX][0-9A-Fa-f]{2}|[0-9]{2,3});"
_ASCII = re.compile(_ESCAPES)
_UNICODE = re.compile(f"{_ESCAPES}|[{_ZERO_WIDTH}{_SPACES}{_DASHES}\uff01-\uff5e\u3002]|(?![0-9])\\d")


def may_hide(text: str) -> bool:
    """Return whether there may be anything to undo in `text`: in almost every text there is not."""
    return not text.isascii() or "%" in text or "\\u" in text or "&#" in text


def reveal(text: str) -> tuple[str, list[int] | None]:
    """Return `text` without its encodings, and the offset in `text` of each character and of the end.

    The offsets are None where nothing was encoded.
    """
    offsets: list[int] | None = None
    for _ in range(MAX_LAYERS):
        if not may_hide(text):
            break
        plain, layer = _peel(text, _ASCII if text.isascii() else _UNICODE)
        if layer is None:
            break
        offsets = layer if offsets is None else [offsets[at] for at in layer]
        text = plain
    return text, offsets


def _peel(text: str, pattern: re.Pattern[str]) -> tuple[str, list[int] | None]:
    parts: list[str] = []
    offsets: list[int] = []
    end = 0
    for match in pattern.finditer(text):
        start, char = match.start(), _decoded(match.group())
        parts += (text[end:start], char)
        offsets.extend(range(end, start + len(char)))
        end = match.end()
    if not parts:
        return text, None
    parts.append(text[end:])
    offsets.extend(range(end, len(text) + 1))
    return "".join(parts), offsets


def _decoded(code: str) -> str:  # noqa: PLR0911 - one line per kind of code
    """Return the one character that `code` stands for; none for a zero-width one."""
    if code[0] in "%\\":
        return chr(int(code.lstrip("%\\u"), 16))
    if code[0] == "&":
        return chr(int(code[3:-1], 16) if code[2] in "xX" else int(code[2:-1]))
    if code in _ZERO_WIDTH:
        return ""
    if code.isdecimal():
        return str(unicodedata.decimal(code))
    if code.isspace():
        return " "
    if code == "\u3002":
        return "."
    return chr(ord(code) - 0xFEE0) if code > "\ufeff" else "-"
