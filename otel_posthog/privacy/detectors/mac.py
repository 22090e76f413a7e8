"""Hardware addresses, which name one device for good."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import COLONS, DASHES, DIGIT, DOTS
from otel_posthog.privacy.keys import KeyFacts

_MAC = re.compile(
    r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z]|[:-][0-9A-Fa-f]{2})"
)

# Cisco's way; without a letter it might be a number.
_DOTTED = re.compile(
    r"(?<![0-9A-Za-z.])(?=[0-9.]{0,14}[A-Fa-f])[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?![0-9A-Za-z]|\.[0-9A-Za-z])"
)
_DOTTED_END = re.compile(r"\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [match.span() for match in _MAC.finditer(text)] if text.count(":") >= 5 or text.count("-") >= 5 else []


def _find_dotted(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [match.span() for match in _DOTTED.finditer(text)] if _DOTTED_END.search(text) else []


MAC = Detector("mac", _find, needs_one=COLONS | DASHES)
DOTTED_MAC = Detector("mac", _find_dotted, needs=DIGIT | DOTS)
