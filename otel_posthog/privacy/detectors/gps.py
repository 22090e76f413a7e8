"""Where somebody is: latitude and longitude side by side, precise to a street or better."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import DIGIT, FOUR_DIGITS
from otel_posthog.privacy.keys import KeyFacts

# Four decimals of a degree are eleven metres, three a hundred.
_PAIR = re.compile(
    r"(?<![0-9A-Za-z_.+-])([+-]?[0-9]{1,2}\.[0-9]{4,15})°?[NS]?[ ]{0,2}[,;/ ][ ]{0,2}"
    r"([+-]?[0-9]{1,3}\.[0-9]{4,15})°?[EW]?(?![0-9A-Za-z_]|\.[0-9])"
)
_FINE = re.compile(r"\.[0-9]{4,15}[^.]{1,9}[0-9]\.[0-9]{4}")
_SEXAGESIMAL = re.compile(
    r"[0-9]{1,2}°[ ]?[0-9]{1,2}['\u2032\u2019][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?(?:\"|\u2033|'')[ ]?)?[NS][ ,]{0,3}"
    r"[0-9]{1,3}°[ ]?[0-9]{1,2}['\u2032\u2019][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?(?:\"|\u2033|'')[ ]?)?[EW]"
)


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    if text.count(".") > 1 and _FINE.search(text):
        spans += (match.span() for match in _PAIR.finditer(text) if _is_place(float(match[1]), float(match[2])))
    if "°" in text:
        spans += (match.span() for match in _SEXAGESIMAL.finditer(text))
        spans.sort()
    return spans


def _is_place(latitude: float, longitude: float) -> bool:
    # Two shares of one (a point in a picture, probabilities) lie in the sea off Ghana.
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (abs(latitude) > 1 or abs(longitude) > 1)


GPS = Detector("gps", _find, needs=DIGIT | FOUR_DIGITS)
