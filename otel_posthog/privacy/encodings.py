r"""Encodings that hide a value from the detectors, decoded, with the position of each character in the original.

`jo%2540example.org` decodes to `jo@example.org`; offsets map a hit in the decoded text back to the original. Decoded
are percent signs in any number of layers, `\u0040`, `\x40`, `\/`, `&#64;`, `&commat;`, full-width letters, non-Latin
digits, unusual spaces, invisible characters and combining marks, and texts in base64. Each byte above 0x7f that is no
UTF-8 becomes one character: decoded text is only searched, never sent.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from binascii import a2b_base64
from collections.abc import Iterator

from otel_posthog.privacy.detectors.prefilter import unbroken_runs
from otel_posthog.regex import regex

MAX_LAYERS = 3  # of encodings within others; `%25252540` is one

# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, Default_Ignorable_Code_Point
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_SPACES = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_DOTS = "\u2024\u3002\ufe52\uff61"
_SIGNS = {"\ufe6b": "@", **dict.fromkeys(_DOTS, "."), **dict.fromkeys(_DASHES, "-")}
NAMED = {
    "commat": "@", "period": ".", "lowbar": "_", "plus": "+", "colon": ":", "equals": "=", "sol": "/", "percnt": "%",
    "num": "#", "hyphen": "-", "dash": "-", "nbsp": " ", "quot": '"', "apos": "'", "amp": "&", "comma": ",",
    "semi": ";", "lt": "<", "gt": ">", "lpar": "(", "rpar": ")", "shy": "", "zwj": "", "zwnj": "",
}  # fmt: skip
_HEX = "[0-9A-Fa-f]"
_REST = f"%(?:25)*[89ABab]{_HEX}"
# Each begins with a sign, not with a repetition of one: so the engine looks for the signs alone.
_ESCAPES = (
    # What UTF-8 writes in two bytes or more; the bytes of none.
    f"%(?:25)*(?:[CDcd]{_HEX}{_REST}|[Ee]{_HEX}{_REST}{_REST}|[Ff][0-4]{_REST}{_REST}{_REST})|%(?:25)*{_HEX}{{2}}"
    # JSON writes what is beyond the first plane as two; a JSON text in a string of another has its backslashes twice.
    rf"|\\\\{{0,7}}u(?:[Dd][89ABab]{_HEX}{{2}}\\{{1,8}}u[Dd][C-Fc-f]{_HEX}{{2}}|{_HEX}{{4}}|\{{0{{0,4}}{_HEX}{{1,6}}\}})"
    rf"|\\\\{{0,7}}x{_HEX}{{2}}|\\\\{{0,7}}/"
    rf"|&#(?:[xX]0{{0,6}}[0-9A-Fa-f]{{2}}|0{{0,6}}[0-9]{{2,3}});|&(?:{'|'.join(NAMED)});"
)
_ASCII = regex(_ESCAPES)
_UNICODE = regex(f"{_ESCAPES}|[{INVISIBLE}{_MARKS}{_SPACES}{_DASHES}{_DOTS}\ufe6b\uff01-\uff5e]|(?![0-9])\\d")


def may_be_encoded(text: str) -> bool:
    """Return whether `text` may contain encodings; almost no text does."""
    if not text.isascii() or "%" in text or ("&" in text and ";" in text):
        return True
    return "\\" in text and ("\\u" in text or "\\x" in text or "\\/" in text)


def decode(text: str) -> tuple[str, list[int] | None]:
    """Return `text` without its encodings, and the offset in `text` of each character and of the end.

    The offsets are None where nothing was encoded.
    """
    offsets: list[int] | None = None
    for _ in range(MAX_LAYERS):
        if not may_be_encoded(text):
            break
        plain, layer = _peel(text, _ASCII if text.isascii() else _UNICODE)
        if layer is None:
            break
        offsets = layer if offsets is None else [offsets[at] for at in layer]
        text = plain
    return text, offsets


_ESCAPED_BREAK = regex(r"\\\\{0,7}[nrtfbv](?=[\w+(\[@-])")


def without_escaped_breaks(text: str) -> str:
    r"""Return `text`, of the same length, with a space for `\n` and its like before a word; the same object without.

    They may also be the beginnings of folders (`C:\new`), so that nobody knows which of the two readings is true.
    """
    return _ESCAPED_BREAK.sub(_as_break, text) if _ESCAPED_BREAK.search(text) else text


def _as_break(found: re.Match[str]) -> str:
    return "\n".rjust(found.end() - found.start())


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
    """Return the character that `code` stands for; nothing for one that is invisible."""
    first = code[0]
    if first == "%":
        found = bytes.fromhex("".join(each[-2:] for each in code.split("%")[1:]))
        return found.decode("utf-8", "replace") if len(found) > 1 else chr(found[0])
    if first == "\\":
        return _from_backslashes(code.lstrip("\\"))
    if first == "&":
        if code[1] != "#":
            return NAMED[code[1:-1]]
        return chr(int(code[3:-1], 16) if code[2] in "xX" else int(code[2:-1]))
    if code.isdecimal():
        return str(unicodedata.decimal(code))
    if code.isspace():
        return " "
    return chr(ord(code) - 0xFEE0) if "\uff01" <= code <= "\uff5e" else _SIGNS.get(code, "")


def _from_backslashes(code: str) -> str:
    if code == "/":
        return code
    first, _, second = code[1:].strip("{}").replace("\\", "").partition("u")
    if second:
        return chr(0x10000 + (int(first, 16) % 0x400 << 10) + int(second, 16) % 0x400)
    number = int(first, 16)
    return chr(number) if number <= sys.maxunicode else ""


_BASE64 = regex(r"(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{16,}(?:={1,2}(?![0-9A-Za-z=])|(?![=.]))")
_PART = regex(r"[0-9A-Za-z+_-]{16,}={0,2}")
_MOST_FOLDERS = 8
_STANDARD = bytes.maketrans(b"-_", b"+/")
_IN_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_AS_WORDS = bytes(ord("w" if byte in _IN_BASE64 else "x") for byte in range(256))
_SHORTEST = b"w" * 16


def base64_texts(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end of each base64 text in `text`, and what it decodes to."""
    # A translation table finds the beginnings of words ten times faster than the pattern.
    for start, _ in unbroken_runs(text.encode("ascii", "replace").translate(_AS_WORDS), _SHORTEST):
        match = _BASE64.match(text, start)
        if match is None:
            continue
        inner = _from_base64(match.group())
        if inner is not None:
            yield match.start(), match.end(), inner
        elif "/" in match.group():
            yield from _in_path(text, *match.span())


def _from_base64(written: str) -> str | None:
    """Return what a word in base64 says, if that is a text."""
    word = written.rstrip("=").encode()
    if len(word) % 4 == 1 or word.islower() or word.isupper():
        return None
    try:
        inner = a2b_base64(word.translate(_STANDARD) + b"=" * (-len(word) % 4)).decode()
    except ValueError:
        return None
    return inner if inner.isprintable() or "".join(inner.split()).isprintable() else None


def _in_path(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield the parts of a path that are base64, which may itself have a slash in it."""
    slash = text.find("/", start, end)
    for _ in range(_MOST_FOLDERS):
        if slash < 0:
            break
        inner = _from_base64(text[slash + 1 : end])
        if inner is not None and end - slash > len(_SHORTEST):
            yield slash + 1, end, inner
            return
        slash = text.find("/", slash + 1, end)
    for part in _PART.finditer(text, start, end):
        inner = _from_base64(part.group())
        if inner is not None:
            yield part.start(), part.end(), inner
