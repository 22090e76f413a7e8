"""Payment cards and bank accounts: `card` and `iban`.

A card has 13 to 19 digits, a known issuer and passes the Luhn check, in one piece or in groups. An IBAN has its
country's length and passes the mod-97 check.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from string import ascii_letters

from otel_posthog.privacy.detectors.checksums import luhn
from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.prefilter import GROUPS, IBAN_START, LONG_DIGITS, NUMBER
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.words import IBAN_LENGTHS
from otel_posthog.regex import regex

_DIALLED = regex(r"[0-9]{8,15}(?![ .-]?[0-9])")
_CARD_GAPS = str.maketrans("", "", " ().+/-")
_GROUP = regex(r"[0-9]+")
_MIN_DIGITS, _MAX_DIGITS = 13, 19
_MAX_GROUPS = 5
_MAX_GROUP_DIGITS = 7  # American Express has 4-6-5; the last groups of UUIDs have twelve
_MIN_GROUP_DIGITS = 3  # the last may be shorter; `40 12 55 ...` is a list of numbers


def is_card(digits: str) -> bool:
    """Return whether `digits` (13-19 of 0-9) are a card number by issuer, length and checksum."""
    return _is_issued(digits) and luhn(digits)


def _find_card(text: str, _facts: KeyFacts, runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for run in runs:
        if run.end() - run.start() < _MIN_DIGITS or len(run.group().translate(_CARD_GAPS)) < _MIN_DIGITS:
            continue
        groups = [match.span() for match in _GROUP.finditer(text, *run.span())]
        # A group that is joined to a word is part of an id or a hash.
        if text[run.start() - 1 : run.start()].isalnum():
            del groups[0]
        if text[run.end() : run.end() + 1].isalnum():
            del groups[-1:]
        spans += _cards(text, groups)
    return spans


def _cards(text: str, groups: list[Span]) -> list[Span]:
    spans: list[Span] = []
    first = 0
    while first < len(groups):
        start = groups[first][0]
        last = None if _is_other(text, start) else _card_end(text, groups, first)
        if last is not None:
            spans.append((start, groups[last][1]))
            first = last
        first += 1
    return spans


def _is_other(text: str, start: int) -> bool:
    """Return whether the fraction of a number begins at `start`, or a phone number with its plus."""
    before, further = text[start - 1 : start], text[start - 2 : start - 1]
    if before == ".":
        return further.isdecimal()
    return before == "+" and not further.isalnum() and _DIALLED.match(text, start) is not None


def _card_end(text: str, groups: list[Span], first: int) -> int | None:
    """Return the index of the last group of the card that begins with group `first`, if there is one."""
    digits = ""
    for index in range(first, min(first + _MAX_GROUPS, len(groups))):
        start, end = groups[index]
        digits += text[start:end]
        if len(digits) > _MAX_DIGITS or (index > first and end - start > _MAX_GROUP_DIGITS):
            return None
        if len(digits) >= _MIN_DIGITS and is_card(digits):
            return index
        if not _MIN_GROUP_DIGITS <= end - start <= _MAX_GROUP_DIGITS:
            return None
    return None


def _is_issued(digits: str) -> bool:
    length = len(digits)
    two, four = int(digits[:2]), int(digits[:4])
    if length == 15:
        return two in {34, 37} or four in {1800, 2131, 1354}
    if digits[0] == "4":
        return length in {13, 16, 19}
    if length in {14, 16} and (300 <= four // 10 <= 305 or two in {36, 38, 39} or four == 3095):
        return True
    if four in _MAESTRO:
        return True
    return length >= 16 and (
        51 <= two <= 55 or 2200 <= four <= 2204 or 2221 <= four <= 2720
        or two in {35, 60, 62, 64, 65, 81} or four in _LOCAL
    )  # fmt: skip


# Dankort, RuPay, Troy, Elo, Verve
_LOCAL = frozenset({5019, 5080, 9792, 5041, 5067, 5090, 6277, 6362, 6363, 6516, 6550, 5060, 5061, 5078, 6500})
_MAESTRO = frozenset({5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763})


# Grouped by separators of lists, paths and tables, in which people write no cards: further groups rule it out.
_ODDLY_GROUPED = regex(
    r"(?<![0-9A-Za-z])(?<![0-9][\t\n_,:|.-])"
    r"(?:[0-9]{4}([\t\n_,:|])[0-9]{4}\1[0-9]{4}\1[0-9]{4}|3[0-9]{3}([\t\n_,:|])[0-9]{6}\2[0-9]{5})"
    r"(?![0-9A-Za-z]|[\t\n_,:|.-][0-9])"
)


def _find_card_groups(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    found = _ODDLY_GROUPED.finditer(text)
    return [match.span() for match in found if is_card("".join(_GROUP.findall(match.group())))]


CARD_GROUPS = Detector("card", _find_card_groups, needs=GROUPS)
CARD = Detector("card", _find_card, needs=NUMBER | LONG_DIGITS)


_IBAN_GAPS = str.maketrans("", "", " +-")
_AS_NUMBERS = str.maketrans({char: str(int(char, 36)) for char in ascii_letters})
# UUIDs have dashes, and groups of eight and twelve.
_LONG_GROUP = regex(r"[0-9A-Za-z]{5}-|-[0-9A-Za-z+ -]{0,40}[0-9A-Za-z]{5}")
_IBAN_START = regex(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?=[ +-]?[0-9A-Za-z])")


def _find_iban(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    end = 0
    for match in _IBAN_START.finditer(text):
        start = match.start()
        length = IBAN_LENGTHS.get(text[start : start + 2].upper()) if start >= end else None
        found = _iban_end(text, start, length) if length else None
        if found:
            spans.append((start, found))
            end = found
    return spans


def _iban_end(text: str, start: int, length: int) -> int | None:
    """Return where the IBAN of `length` characters that begins at `start` ends, if there is one."""
    match = _pattern_of(length).match(text, start)
    if match is None or text[match.end() : match.end() + 1].isalnum():
        return None
    written = match.group()
    if "-" in written and _LONG_GROUP.search(written):
        return None
    return match.end() if _passes_mod97(written.translate(_IBAN_GAPS)) else None


@lru_cache(maxsize=len(IBAN_LENGTHS))
def _pattern_of(length: int) -> re.Pattern[str]:
    return regex(rf"[0-9A-Za-z](?:[ +-]?[0-9A-Za-z]){{{length - 1}}}")


def _passes_mod97(iban: str) -> bool:
    return int((iban[4:] + iban[:4]).translate(_AS_NUMBERS)) % 97 == 1


IBAN = Detector("iban", _find_iban, needs=IBAN_START)
