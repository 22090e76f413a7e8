"""Bank accounts: an IBAN has its country's length and passes the mod-97 check."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import IBAN_START
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.words import IBAN_LENGTHS

_DASHED_GROUP = 4
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
    chars: list[str] = []
    at, group, dashed = start, 0, False
    while at < len(text) and len(chars) < length:
        char = text[at]
        if char.isascii() and char.isalnum():
            chars.append(char)
            group += 1
        elif char in " -+" and group:
            dashed = dashed or char == "-"
            # UUIDs have dashes, and groups of eight and twelve.
            if dashed and group > _DASHED_GROUP:
                return None
            group = 0
        else:
            return None
        at += 1
    ended = at == len(text) or not text[at].isalnum()
    grouped = not dashed or group <= _DASHED_GROUP
    return at if len(chars) == length and ended and grouped and _checks("".join(chars)) else None


def _checks(iban: str) -> bool:
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


IBAN = Detector("iban", _find, needs=IBAN_START)
