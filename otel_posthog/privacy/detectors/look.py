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
# Moments, which stand in every log line.
DATE = re.compile(r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9])")
_FEWEST_DIGITS, _ID_DIGITS, _CARD_DIGITS = 7, 12, 13

_DIGITS = b"0123456789"
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _table(classes: dict[bytes, int]) -> bytes:
    return bytes(next((to for chars, to in classes.items() if byte in chars), ord("x")) for byte in range(256))


AS_CLASSES = _table({_LETTERS: ord("a"), _DIGITS: ord("0"), b".": ord(".")})
_AS_WORDS = _table({_LETTERS + _DIGITS + b"_-": ord("w")})
_BETWEEN_DIGITS = b" ().+/-"
_AS_NUMBERS = _table({_DIGITS + _BETWEEN_DIGITS: ord("n")})
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
    # One byte a character, so that what is found in one is at the same place in the other.
    raw = text.encode("ascii", "replace")
    # `in` for bytes tries a number first, and fails at length.
    as_words = raw.translate(_AS_WORDS)
    if as_words.find(_LONG_WORD) >= 0:
        seen |= TOKEN | LONG_TOKEN if as_words.find(_LONGER_WORD) >= 0 else TOKEN
    classes = raw.translate(AS_CLASSES)
    # Counted, not left out: for that a table is made each time.
    digits = classes.count(b"0")
    return (seen, ()) if not digits else _look_at_digits(text, raw, b"x" + classes, digits, seen | DIGIT)


def _look_at_digits(
    text: str, raw: bytes, classes: bytes, digits: int, seen: int
) -> tuple[int, Sequence[re.Match[str]]]:
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
    # Row by row, and each to its last digit: of a row of brackets without a number in it each would be read to its end.
    runs: list[re.Match[str]] = []
    for start, end in rows(raw.translate(_AS_NUMBERS), _LONG_RUN):
        run = LONG_NUMBER.search(text, start, start + len(raw[start:end].rstrip(_BETWEEN_DIGITS)))
        if run is not None:
            runs.append(run)
    return (seen | NUMBER if runs else seen), runs


def long_words(text: str) -> list[tuple[int, int]]:
    """Return where in `text` the words of 14 characters or more stand: what `[0-9A-Za-z_-]{14,}` finds, by a table."""
    return rows(text.encode("ascii", "replace").translate(_AS_WORDS), _LONG_WORD)


def rows(classes: bytes, shortest: bytes) -> list[tuple[int, int]]:
    """Return where in `classes` one character that is no `x` stands in a row, as often as in `shortest` or more."""
    found = []
    start = classes.find(shortest)
    while start >= 0:
        end = classes.find(b"x", start)
        if end < 0:
            end = len(classes)
        found.append((start, end))
        start = classes.find(shortest, end)
    return found
