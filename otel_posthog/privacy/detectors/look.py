"""One cheap look at a text: what it consists of, and so which detectors need to look closer.

A pattern takes hundreds of instructions a character, a table or a search for fixed characters one: almost everything
that is harmless is ruled out by these alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

AT, COLON, EQUALS, FLAG, SLASH, GAP, COLONS, DASHES, DOTS, TOKEN = (1 << bit for bit in range(10))
DIGIT, FOUR_DIGITS, SEVEN_DIGITS, DOTTED, NUMBER, LONG_DIGITS, IBAN_START = (1 << bit for bit in range(10, 17))
QUOTE, GROUPS, LONG_TOKEN = (1 << bit for bit in range(17, 20))
"""What may be seen: the characters `@`, `:`, `=`, `--`, a slash of either kind, white space or `+`; `::` or five `:`;
five `-`; two `.`; 14 characters of a word without a break; a digit; four digits; seven; four numbers with `.`
between them; a number of seven digits or more, also grouped; 13 digits or more; two letters and two
digits where a word begins; a quote or an opening bracket; three groups of digits as cards have them, whatever stands
between; 20 characters of a word without a break."""

# Ranges, not `\\d`: a set without categories is looked up in a table.
LONG_NUMBER = re.compile(r"[0-9(][0-9 ().+/-]{7,}[0-9]")
_MAY_BE_LONG = re.compile(r"[0-9 ().+/-]{9,}")
# Moments, which stand in every log line.
DATE = re.compile(r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9])")
_FEWEST_DIGITS, _ID_DIGITS, _CARD_DIGITS = 7, 12, 13

_DIGITS = b"0123456789"
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _table(classes: dict[bytes, int]) -> bytes:
    return bytes(next((to for chars, to in classes.items() if byte in chars), ord("x")) for byte in range(256))


AS_CLASSES = _table({_LETTERS: ord("a"), _DIGITS: ord("0"), b".": ord(".")})
_AS_WORDS = _table({_LETTERS + _DIGITS + b"_-": ord("w")})
_AS_NUMBERS = _table({_DIGITS + b" ().+/-": ord("n")})
_LONG_WORD = b"w" * 14  # the shortest secret that is told by its shape alone
_LONGER_WORD = b"w" * 20  # the shortest text in base64, and shorter than keys of vendors that have no beginning
_LONG_RUN = b"n" * 9


def look(text: str) -> tuple[int, Sequence[re.Match[str]]]:  # noqa: C901 - one line per thing seen
    """Return what is seen in `text`, which has no encodings any more, and the long numbers in it."""
    seen = 0
    if "@" in text:
        seen = AT
    if "=" in text:
        seen |= EQUALS
    colons = text.count(":")
    if colons:
        seen |= COLON | COLONS if colons > 4 or "::" in text else COLON
    if text.count(".") > 1:
        seen |= DOTS
    if "-" in text:
        if "--" in text:
            seen |= FLAG
        if text.count("-") > 4:
            seen |= DASHES
    if "/" in text or "\\" in text:
        seen |= SLASH
    if " " in text or "+" in text or "\n" in text or "\t" in text:
        seen |= GAP
    if "'" in text or '"' in text or "(" in text:
        seen |= QUOTE
    raw = text.encode("utf-8", "replace")
    # `in` for bytes tries a number first, and fails at length.
    as_words = raw.translate(_AS_WORDS)
    if as_words.find(_LONG_WORD) >= 0:
        seen |= TOKEN | LONG_TOKEN if as_words.find(_LONGER_WORD) >= 0 else TOKEN
    digits = len(raw) - len(raw.translate(None, _DIGITS))
    return (seen, ()) if not digits else _look_at_digits(text, raw, digits, seen | DIGIT)


def _look_at_digits(text: str, raw: bytes, digits: int, seen: int) -> tuple[int, Sequence[re.Match[str]]]:
    classes = b"x" + raw.translate(AS_CLASSES)
    # Of `1.2.3.4` two of these stand apart, of `1.2.3` one.
    if seen & DOTS and classes.count(b"0.0") > 1:
        seen |= DOTTED
    if digits > 3:
        seen |= FOUR_DIGITS
        # Banks of some countries have letters for digits: beyond its check digits an IBAN needs no row of them.
        if classes.find(b"xaa00") >= 0 or classes.find(b".aa00") >= 0:
            seen |= IBAN_START
    if digits < _FEWEST_DIGITS:
        return seen, ()
    seen |= SEVEN_DIGITS
    if digits >= _CARD_DIGITS:
        seen |= LONG_DIGITS
    if digits >= _ID_DIGITS and (classes.find(b"0000x0000x0000") >= 0 or classes.find(b"0000x000000x00000") >= 0):
        seen |= GROUPS
    if raw.translate(_AS_NUMBERS).find(_LONG_RUN) < 0:
        return seen, ()
    # Row by row, and each to its last digit: of a row of brackets without a number in it each would be read to its end.
    rows = _MAY_BE_LONG.finditer(text)
    runs = [run for row in rows if (run := LONG_NUMBER.search(text, row.start(), _number_end(row)))]
    return (seen | NUMBER if runs else seen), runs


def _number_end(row: re.Match[str]) -> int:
    return row.start() + len(row.group().rstrip(" ().+/-"))
