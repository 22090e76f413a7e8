"""E-mail addresses, around each `@`: read forwards for the domain, backwards for the local part."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import AT
from otel_posthog.privacy.keys import KeyFacts

# 64 by RFC 5321; the rest is for plus-addresses of senders that do not care.
_MAX_LOCAL_CHARS = 256
_DOMAIN = re.compile(
    r"(?:[\w\x80-\xff-]{1,63}\.){1,10}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![^\W_]|-|_\w)|\[?(?:\d{1,3}\.){3}\d{1,3}(?![0-9]|\.[0-9])\]?"
)
_VERSION_NUMBERS = 64  # of random addresses one in 256 has only such small numbers
_LOCAL_REVERSED = re.compile(r"[\w.!#$*+^`{|}~'-]+")

# `logo@2x.png`, `left-pad@1.3.0.tgz`
_FILE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".js", ".mjs", ".ts", ".tgz", ".gz", ".zip")


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    at = text.find("@")
    end = 0
    while at != -1:
        span = _around(text, at, end)
        if span:
            spans.append(span)
            end = span[1]
        at = text.find("@", max(at + 1, end))
    return spans


def _around(text: str, at: int, start: int) -> Span | None:
    domain = _DOMAIN.match(text, at + 1)
    if domain is None or domain.group().lower().endswith(_FILE_SUFFIXES) or _is_version(domain.group()):
        return None
    before = text[max(start, at - _MAX_LOCAL_CHARS) : at]
    if before.endswith('"'):
        return _quoted(before, at, domain.end())
    local = _LOCAL_REVERSED.match(before[::-1])
    if local is None:
        return None
    # A quote or a dot that opens the address is the sentence's, not its own; `git@` is nobody.
    found = local.group()[::-1].lstrip("'`.")
    return (at - len(found), domain.end()) if found and found != "git" else None


def _is_version(domain: str) -> bool:
    """Return whether `domain` is what package managers write behind an `@`: `2.4.4.Final`, `3.54.1.0`, no `163.com`."""
    *labels, last = domain.split(".")
    if len(labels) < 2 or not all(label.isdecimal() for label in labels):
        return False
    return not last.isdecimal() or max(map(int, (*labels, last))) < _VERSION_NUMBERS


def _quoted(before: str, at: int, end: int) -> Span:
    opening = before.rfind('"', 0, -1)
    return at - len(before) + max(opening, 0), end


EMAIL = Detector("email", _find, needs=AT)
