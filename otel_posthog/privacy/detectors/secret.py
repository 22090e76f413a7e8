"""Secrets told by their form: `secret` and `jwt`.

Private keys in PEM, credentials in URLs, values of an `Authorization` header. JSON web tokens, signed or encrypted:
base64url parts joined by dots, the first of which is a JSON object.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.first_words import SCHEME
from otel_posthog.privacy.detectors.prefilter import AT, COLON, DASHES, GAP, SLASH, TOKEN
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.regex import regex

MARKER = "[secret]"

_PEM_BEGIN = regex(r"----(?:-| )BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?(?:-| )----")
_PEM_END = regex(r"----(?:-| )END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?(?:-| )----")


def _find_pem(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    begin = _PEM_BEGIN.search(text) if "PRIVATE KEY" in text else None
    while begin:
        ending = _PEM_END.search(text, begin.end())
        end = ending.end() if ending else len(text)
        spans.append((begin.start(), end))
        begin = _PEM_BEGIN.search(text, end)
    return spans


_AFTER_SCHEME = "://"
_USER = regex(r"[^\s/?#\"'<>:@]*", re.ASCII)
# A password may hold a slash, but not where the part before it is a port (`https://host:8080/@name`).
_PASSWORD = regex(r":(?!\d{1,5}[/?#])", re.ASCII)
_WORD_END = regex(r"[\s\"'<>]", re.ASCII)


def _find_userinfo(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    at, word_end, last_sign = text.find(_AFTER_SCHEME), 0, -1
    while at >= 0:
        start = at + len(_AFTER_SCHEME)
        if start > word_end:
            # Once for each word, however many URLs are in it: a password has any length.
            word_end = _word_end(text, start)
            last_sign = text.rfind("@", start, word_end)
        end = _userinfo_end(text, start, last_sign) if start < last_sign else -1
        if end > start and text[start:end] not in {MARKER, "git"}:
            spans.append((start, end))
        at = text.find(_AFTER_SCHEME, max(start, end) if start < last_sign else word_end)
    return spans


def _userinfo_end(text: str, start: int, last_sign: int) -> int:
    """Return where the credentials that begin at `start` end; -1 if there are none."""
    end = _user_end(text, start)
    if _PASSWORD.match(text, end):
        return last_sign
    return end if text[end] == "@" else -1


def _user_end(text: str, start: int) -> int:
    user = _USER.match(text, start)
    return user.end() if user else start


def _word_end(text: str, start: int) -> int:
    stop = _WORD_END.search(text, start)
    return stop.start() if stop else len(text)


def is_open_userinfo(text: str) -> bool:
    """Return whether `text` ends inside the credentials of a URL, before the `@` that would show them as such."""
    at = text.find(_AFTER_SCHEME, max(text.rfind(space) for space in " \t\r\n\"'<>") + 1)
    while at >= 0:
        start = at + len(_AFTER_SCHEME)
        end = _user_end(text, start)
        if end == len(text) or _PASSWORD.match(text, end):
            return True
        at = text.find(_AFTER_SCHEME, start)
    return False


# The schemes of RFC 7235 and its relatives; a prose word after one (`basic information`) is no credential.
_AUTHORIZATION = regex(
    r"(?<![0-9A-Za-z])(?:bearer|basic|digest|token|apikey|negotiate)(?:\s|%20|\+){1,3}([\w.~+/=-]{8,})",
    re.IGNORECASE | re.ASCII,
)
# Three words of prose are shorter than 40 characters and have neither digit nor hump.
_CREDENTIAL = regex(r"\d|[a-z][A-Z]|=\Z|.{40}")


def _find_authorization(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [match.span(1) for match in _AUTHORIZATION.finditer(text) if _CREDENTIAL.search(match.group(1))]


PEM = Detector("secret", _find_pem, needs=DASHES | GAP, gives_way=False)
USERINFO = Detector("secret", _find_userinfo, needs=AT | COLON | SLASH)
AUTHORIZATION = Detector("secret", _find_authorization, needs=GAP | SCHEME)


# Every part is optional, so that a match never fails after a long read: linear on `eyJeyJeyJ...`. Behind a `~` stand
# what an SD-JWT discloses of a person, and one more token.
_JWT = regex(r"eyJ[\w-]*(?:\.[\w-]*){0,4}(?:~[\w-]*(?:\.[\w-]*){0,4})*")
_MIN_CHARS = 20
_OPAQUE_CHARS = 200  # a header cut off before its first dot


def _find_jwt(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    if "eyJ" not in text:
        return []
    return [match.span() for match in _JWT.finditer(text) if _is_token(match.group())]


def _is_token(found: str) -> bool:
    header, dot, rest = found.partition(".")
    return len(header) >= _OPAQUE_CHARS or (
        bool(dot) and len(header) >= 8 and len(rest) >= 2 and len(found) >= _MIN_CHARS
    )


JWT = Detector("jwt", _find_jwt, needs=TOKEN)
