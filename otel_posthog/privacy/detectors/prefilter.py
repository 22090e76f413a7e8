"""The prefilter: which features a text has, and so which detectors need to search it.

A regular expression takes hundreds of instructions for a character; a translation table or a search for fixed
characters takes one. These alone rule out almost everything that is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.first_words import FEATURES, NATIONAL_LABEL
from otel_posthog.regex import regex

# The features: one bit each, and what a text must have for it.
AT = 1 << 0  # `@`
COLON = 1 << 1  # `:`
EQUALS = 1 << 2  # `=`
FLAG = 1 << 3  # `--`
SLASH = 1 << 4  # a slash of either kind
GAP = 1 << 5  # white space or `+`
COLONS = 1 << 6  # `::`, or five `:`
DASHES = 1 << 7  # five `-`
DOTS = 1 << 8  # two `.`
TOKEN = 1 << 9  # 14 characters of a word without a break
DIGIT = 1 << 10  # one digit
FOUR_DIGITS = 1 << 11
SEVEN_DIGITS = 1 << 12
DOTTED = 1 << 13  # four numbers with `.` between them
NUMBER = 1 << 14  # a number of seven digits or more, also grouped
LONG_DIGITS = 1 << 15  # 13 digits
IBAN_START = 1 << 16  # two letters and two digits where a word begins
QUOTE = 1 << 17  # a quote or an opening bracket
GROUPS = 1 << 18  # three groups of digits as cards have them, whatever stands between
LONG_TOKEN = 1 << 19  # 20 characters of a word without a break
NOT_ASCII = 1 << 20
TEN_DIGITS = 1 << 21  # without a break
# Those from `1 << 24` on are of first words.

# Ranges, not `\\d`: a set without categories is looked up in a table.
LONG_NUMBER = regex(r"[0-9(][0-9 ().+/-]{7,}[0-9]")
# Points in time stand in every log line.
DATE = regex(r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9])")
_FEWEST_DIGITS, _ID_DIGITS, _CARD_DIGITS = 7, 12, 13
_LABELLED_DIGITS = 5
"""How many digits a number behind a label has at least."""

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
_TEN = b"0" * 10
# Small letters, and a space for what is no letter.
_ONLY_LETTERS = bytes(ord(chr(byte).lower()) if 65 <= byte & 95 <= 90 and byte < 128 else 32 for byte in range(256))
_FIRST_WORDS = frozenset(FEATURES)


def features_of(text: str) -> tuple[int, Sequence[re.Match[str]]]:  # noqa: C901, PLR0912 - one line per feature
    """Return the features of `text`, which has no encodings any more, and the long numbers in it."""
    features = 0
    if "@" in text:
        features = AT
    if "=" in text:
        features |= EQUALS
    colons = text.count(":")
    if colons:
        features |= COLON | COLONS if colons > 4 or "::" in text else COLON
    if text.count(".") > 1:
        features |= DOTS
    if "-" in text:
        if "--" in text:
            features |= FLAG
        if text.count("-") > 4:
            features |= DASHES
    if "/" in text or "\\" in text:
        features |= SLASH
    if " " in text or "+" in text or "\n" in text or "\t" in text:
        features |= GAP
    if "'" in text or '"' in text or "(" in text:
        features |= QUOTE
    if not text.isascii():
        features |= NOT_ASCII
    # One byte a character, so that what is found in one is at the same place in the other.
    raw = text.encode("ascii", "replace")
    # `in` for bytes tries a number first, and fails at length.
    as_words = raw.translate(_AS_WORDS)
    if as_words.find(_LONG_WORD) >= 0:
        features |= TOKEN | LONG_TOKEN if as_words.find(_LONGER_WORD) >= 0 else TOKEN
    classes = raw.translate(AS_CLASSES)
    # Counted, not left out: for that a table is made each time.
    digits = classes.count(b"0")
    if digits >= _LABELLED_DIGITS or features & (GAP | SLASH):
        words = raw.translate(_ONLY_LETTERS).split()
        if not _FIRST_WORDS.isdisjoint(words):
            features |= _features_of_words(words, digits)
    return (features, ()) if not digits else _with_digits(text, raw, b"x" + classes, digits, features | DIGIT)


def _features_of_words(words: list[bytes], digits: int) -> int:
    features = 0
    for word in _FIRST_WORDS.intersection(words):
        features |= FEATURES[word]
    return features if digits >= _LABELLED_DIGITS else features & ~NATIONAL_LABEL


def _with_digits(
    text: str, raw: bytes, classes: bytes, digits: int, features: int
) -> tuple[int, Sequence[re.Match[str]]]:
    # Of `1.2.3.4` two of these stand apart, of `1.2.3` one.
    if features & DOTS and classes.count(b"0.0") > 1:
        features |= DOTTED
    if digits > 3:
        features |= FOUR_DIGITS
        # Banks of some countries have letters for digits: beyond its check digits an IBAN needs no row of them.
        if classes.find(b"xaa00") >= 0 or classes.find(b".aa00") >= 0:
            features |= IBAN_START
    if digits < _FEWEST_DIGITS:
        return features, ()
    features |= SEVEN_DIGITS
    if classes.find(_TEN) >= 0:
        features |= TEN_DIGITS
    if digits >= _CARD_DIGITS:
        features |= LONG_DIGITS
    if digits >= _ID_DIGITS and (classes.find(b"0000x0000x0000") >= 0 or classes.find(b"0000x000000x00000") >= 0):
        features |= GROUPS
    # Run by run, and each to its last digit only: else every bracket in a run of brackets would be read to the end.
    runs: list[re.Match[str]] = []
    for start, end in unbroken_runs(raw.translate(_AS_NUMBERS), _LONG_RUN):
        run = LONG_NUMBER.search(text, start, start + len(raw[start:end].rstrip(_BETWEEN_DIGITS)))
        if run is not None:
            runs.append(run)
    return (features | NUMBER if runs else features), runs


def long_words(text: str) -> list[tuple[int, int]]:
    """Return where in `text` the words of 14 characters or more are: what `[0-9A-Za-z_-]{14,}` finds, but faster."""
    return unbroken_runs(text.encode("ascii", "replace").translate(_AS_WORDS), _LONG_WORD)


def unbroken_runs(classes: bytes, shortest: bytes) -> list[tuple[int, int]]:
    """Return where in `classes` one character other than `x` repeats without a break.

    Args:
        classes: A text with each character replaced by the sign of its class.
        shortest: The shortest run to return, as its signs.
    """
    found = []
    start = classes.find(shortest)
    while start >= 0:
        end = classes.find(b"x", start)
        if end < 0:
            end = len(classes)
        found.append((start, end))
        start = classes.find(shortest, end)
    return found
