"""Places: `gps`.

Latitude and longitude side by side, precise to a street or better, as decimals or in degrees, minutes and seconds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span, merge_overlaps
from otel_posthog.privacy.detectors.prefilter import DIGIT, FOUR_DIGITS
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.regex import regex

# Four decimals of a degree are eleven metres, three a hundred.
_FINE_DECIMALS = 4
_PAIR = regex(
    r"(?<![0-9A-Za-z_.+-])([+-]?[0-9]{1,3}\.[0-9]{4,})°?[NSEW]?[ ]{0,2}[,;/ ][ ]{0,2}"
    r"([+-]?[0-9]{1,3}\.[0-9]{4,})°?[NSEW]?(?![0-9A-Za-z_]|\.[0-9])"
)
_LABELLED = regex(
    r"(?<![0-9A-Za-z])(?:lat|lon|lng)[a-z]{0,6}[^0-9A-Za-z\n+-]{1,4}([+-]?[0-9]{1,3}\.[0-9]{4,})"
    r"[^0-9A-Za-z\n]{1,4}(?:lat|lon|lng)[a-z]{0,6}[^0-9A-Za-z\n+-]{1,4}([+-]?[0-9]{1,3}\.[0-9]{4,})",
    re.IGNORECASE,
)
_FINE = regex(r"\.[0-9]{4,}[^.]{1,20}[0-9]\.[0-9]{4}")
_NUMBER = regex(r"[+-]?[0-9]{1,5}(?:\.([0-9]+))?")
_WITH_ALTITUDE, _HIGHEST_M = 3, 99_999
_SEXAGESIMAL = regex(
    r"[0-9]{1,2}°[ ]?[0-9]{1,2}['\u2032\u2019][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?(?:\"|\u2033|'')[ ]?)?[NS][ ,]{0,3}"
    r"[0-9]{1,3}°[ ]?[0-9]{1,2}['\u2032\u2019][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?(?:\"|\u2033|'')[ ]?)?[EW]"
)


def place(values: Collection[object], *, named: bool) -> str | None:
    """Return the place that two numbers are, in either order, as a text; None if they are no place.

    Args:
        values: The numbers, from a list or from two attributes.
        named: Whether the key speaks of places: then one precise number is enough, and an altitude may follow.
    """
    if not 2 <= len(values) <= (_WITH_ALTITUDE if named else 2):
        return None
    numbers = []
    for each in values:
        number = _NUMBER.fullmatch(_text(each))
        if number is None:
            return None
        numbers.append(number)
    decimals = [len(number[1] or "") for number in numbers[:2]]
    fine = (max(decimals) if named else min(decimals)) >= _FINE_DECIMALS
    if not fine or not _is_place(float(numbers[0][0]), float(numbers[1][0])):
        return None
    return ", ".join(number[0] for number in numbers)


def _text(value: object) -> str:
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, int):
        return int.__repr__(value) if abs(value) <= _HIGHEST_M and not isinstance(value, bool) else ""
    return value if isinstance(value, str) else ""


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    if text.count(".") > 1 and _FINE.search(text):
        pairs = [*_PAIR.finditer(text), *_LABELLED.finditer(text)]
        spans += ((match.start(1), match.end()) for match in pairs if _is_place(float(match[1]), float(match[2])))
    if "°" in text:
        spans += (match.span() for match in _SEXAGESIMAL.finditer(text))
    return merge_overlaps(spans) if len(spans) > 1 else spans


def _is_place(one: float, other: float) -> bool:
    low, high = sorted((abs(one), abs(other)))
    # Two shares of one (a point in a picture, probabilities) lie in the sea off Ghana.
    return low <= 90 and 1 < high <= 180


GPS = Detector("gps", _find, needs=DIGIT | FOUR_DIGITS)
