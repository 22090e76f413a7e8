"""Bank accounts: an IBAN has its country's length and passes the mod-97 check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from string import ascii_letters

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import IBAN_START
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.words import IBAN_LENGTHS

_NO_GAPS = str.maketrans("", "", " +-")
_AS_NUMBERS = str.maketrans({char: str(int(char, 36)) for char in ascii_letters})
# UUIDs have dashes, and groups of eight and twelve.
_LONG_GROUP = re.compile(r"[0-9A-Za-z]{5}-|-[0-9A-Za-z+ -]{0,40}[0-9A-Za-z]{5}")
_START = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?=[ +-]?[0-9A-Za-z])")


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    end = 0
    for match in _START.finditer(text):
        start = match.start()
        length = IBAN_LENGTHS.get(text[start : start + 2].upper()) if start >= end else None
        found = _read(text, start, length) if length else None
        if found:
            spans.append((start, found))
            end = found
    return spans


def _read(text: str, start: int, length: int) -> int | None:
    """Return where the IBAN of `length` characters that begins at `start` ends, if there is one."""
    match = _of_length(length).match(text, start)
    if match is None or text[match.end() : match.end() + 1].isalnum():
        return None
    written = match.group()
    if "-" in written and _LONG_GROUP.search(written):
        return None
    return match.end() if _checks(written.translate(_NO_GAPS)) else None


@lru_cache(maxsize=len(IBAN_LENGTHS))
def _of_length(length: int) -> re.Pattern[str]:
    return re.compile(rf"[0-9A-Za-z](?:[ +-]?[0-9A-Za-z]){{{length - 1}}}")


def _checks(iban: str) -> bool:
    return int((iban[4:] + iban[:4]).translate(_AS_NUMBERS)) % 97 == 1


IBAN = Detector("iban", _find, needs=IBAN_START)
