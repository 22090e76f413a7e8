"""JSON web tokens, signed or encrypted: base64url parts joined by dots, the first of which is a JSON object."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import TOKEN
from otel_posthog.privacy.keys import KeyFacts

# Every part is optional, so that a match never fails after a long read: linear on `eyJeyJeyJ...`. Behind a `~` stand
# what an SD-JWT discloses of a person, and one more token.
_JWT = re.compile(r"eyJ[\w-]*(?:\.[\w-]*){0,4}(?:~[\w-]*(?:\.[\w-]*){0,4})*")
_MIN_CHARS = 20
_OPAQUE_CHARS = 200  # a header cut off before its first dot


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    if "eyJ" not in text:
        return []
    return [match.span() for match in _JWT.finditer(text) if _is_token(match.group())]


def _is_token(found: str) -> bool:
    header, dot, rest = found.partition(".")
    return len(header) >= _OPAQUE_CHARS or (
        bool(dot) and len(header) >= 8 and len(rest) >= 2 and len(found) >= _MIN_CHARS
    )


JWT = Detector("jwt", _find, needs=TOKEN)
