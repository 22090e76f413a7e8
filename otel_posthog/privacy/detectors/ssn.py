"""United States social security numbers, in their three groups."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import NUMBER
from otel_posthog.privacy.keys import KeyFacts

# What may not stand before it is looked at after the first group: a pattern that begins with a digit is found faster.
_SSN_CHARS = len("078-05-1120")
_SSN = re.compile(
    r"[0-9]{3}([- ])(?<![0-9A-Za-z_.+-][0-9]{3}.)(?<!000.)(?<!666.)(?<!9[0-9][0-9].)(?!00)[0-9]{2}\1(?!0000)[0-9]{4}"
    r"(?![0-9A-Za-z_+]|[.-][0-9])"
)


def _find(text: str, _facts: KeyFacts, runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for run in runs:
        if run.end() - run.start() >= _SSN_CHARS:
            spans += (match.span() for match in _SSN.finditer(text, run.start(), run.end() + 1))
    return spans


SSN = Detector("ssn", _find, needs=NUMBER)
