"""Secrets told by their shape: private keys, credentials in URLs, authorization values."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import AT, COLON, DASHES, GAP, SLASH
from otel_posthog.privacy.keys import KeyFacts

MARKER = "[secret]"

_PEM_BEGIN = re.compile(r"----(?:-| )BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?(?:-| )----")
_PEM_END = re.compile(r"----(?:-| )END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?(?:-| )----")


def _find_pem(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    begin = _PEM_BEGIN.search(text) if "PRIVATE KEY" in text else None
    while begin:
        ending = _PEM_END.search(text, begin.end())
        end = ending.end() if ending else len(text)
        spans.append((begin.start(), end))
        begin = _PEM_BEGIN.search(text, end)
    return spans


# A password may hold a slash, but not where the part before it is a port (`https://host:8080/@name`).
_USERINFO = re.compile(
    r"://([^\s/?#\"'<>:@]{0,256}:(?!\d{1,5}[/?#])[^\s\"'<>]{0,256}(?=@)|[^\s/?#\"'<>:@]{1,256}(?=@))", re.ASCII
)


def _find_userinfo(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [match.span(1) for match in _USERINFO.finditer(text) if match.group(1) not in {MARKER, "git"}]


# The schemes of RFC 7235 and its relatives; a prose word after one (`basic information`) is no credential.
_SHORTEST_AUTHORIZATION = len("basic ") + 8
_AUTHORIZATION = re.compile(
    r"(?<![0-9A-Za-z])(?:bearer|basic|digest|token|apikey|negotiate)(?:\s|%20|\+){1,3}([\w.~+/=-]{8,})",
    re.IGNORECASE | re.ASCII,
)
# Three words of prose are shorter than 40 characters and have neither digit nor hump.
_CREDENTIAL = re.compile(r"\d|[a-z][A-Z]|=\Z|.{40}")


def _find_authorization(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    if len(text) < _SHORTEST_AUTHORIZATION:
        return []
    low = text.lower()
    # Spelled out: `any` over the schemes takes longer than the search it saves.
    if not ("bearer" in low or "basic" in low or "digest" in low or "token" in low or "apikey" in low or "nego" in low):
        return []
    return [match.span(1) for match in _AUTHORIZATION.finditer(text) if _CREDENTIAL.search(match.group(1))]


PEM = Detector("secret", _find_pem, needs=DASHES | GAP, gives_way=False)
USERINFO = Detector("secret", _find_userinfo, needs=AT | COLON | SLASH)
AUTHORIZATION = Detector("secret", _find_authorization, needs=GAP)
