"""United States social security numbers, in their three groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import NUMBER
from otel_posthog.privacy.keys import KeyFacts

# What may not stand before it is looked at after the first group: a pattern that begins with a digit is found faster.
_SSN = re.compile(
    r"\d{3}([- ])(?<![\w.+-]\d{3}.)(?<!000.)(?<!666.)(?<!9\d\d.)(?!00)\d{2}\1(?!0000)\d{4}(?![\w+]|[.-]\d)"
)


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [match.span() for match in _SSN.finditer(text)]


SSN = Detector("ssn", _find, needs=NUMBER)
