"""Secrets told by their shape: private keys, credentials in URLs, vendors' key prefixes, authorization values."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import AT, COLON, DASH, GAP, SLASH, TOKEN
from otel_posthog.privacy.keys import KeyFacts

MARKER = "[secret]"

_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


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


_LONG_TOKEN = re.compile(r"[\w~+/=.:-]{16,}", re.ASCII)
# Public prefixes; behind each a length that a word of a program's own does not reach.
_VENDOR = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA|LTAI)[0-9A-Za-z]{12,}"  # AWS, Alibaba
    r"|(?:gh[oprsu]|github_pat|npm|pypi|rubygems|hf|api_org|glc|glsa|ntn|gsk|r8|figd|rdme|whsec|shp(?:at|ca|pa|ss)|phx|phs"
    r"|sgp|sntry[su]|do[opr]_v1|CLOJARS|fo1|fm\d[a-z]?|nvapi|xai|pnu)[_-][\w~+/=.-]{16,}"
    r"|sk-[\w-]{20,}"  # OpenAI, Anthropic; Stripe's `sk_live_` is caught by the last rule
    r"|gl[a-z]{2,6}-[\w.-]{16,}|GR1348941[\w-]{16,}"  # GitLab
    r"|(?:xox[a-z]|xapp|xkeysib|xsmtpsib|NRAK|NRII|NRAA|PMAK|HRKU|tskey|pplx|sq0[a-z]{3}|EZ[AT]K|AGE-SECRET-KEY"
    r"|FLWSECK(?:_TEST)?|bedrock-api-key)-?[\w-]{12,}"
    r"|(?:SG|hv[bsr]|dt0[a-z]\d\d|ya29|dp|sl|sat)\.[\w=.-]{16,}"  # SendGrid, Vault, Dynatrace, Google, Doppler, Dropbox
    r"|AIza[\w-]{20,}|EAA[0-9A-Za-z]{40,}|AT[AC]TT[\w=-]{20,}|ABSK[\w+/=]{40,}|eyJrIjoi[\w+/=]{20,}|AKCp[0-9A-Za-z]{50,}"
    r"|cmVmd[0-9A-Za-z]{50,}"
    r"|(?:dapi|SK|AC|key-)[0-9a-fA-F]{32}(?![0-9A-Za-z])|pul-[0-9a-f]{40}|pat[0-9A-Za-z]{14}\.[0-9a-f]{40,}|s\.[a-z0-9]{24}"
    r"|[0-9A-Za-z]{10,20}\.atlasv1\.[\w=-]{16,}"
    r"|\d{8,10}:AA[\w-]{30,}"  # Telegram
    r"|\w{3}\dQ~[\w.~-]{20,}"  # Azure
    r"|[A-Za-z]{2,12}_(?:live|test|prod|sandbox|api|oauth|pat|tkn|pw|key|token|secret|aat)_(?:[a-z]{2,8}_)?"
    r"(?=[\w=.-]{0,64}\d)[\w=.-]{16,}"
    r"|API-(?=[A-Z]{0,64}\d)[0-9A-Z]{16,}"
    r")",
    re.ASCII,
)
_WEBHOOK = re.compile(r"hooks\.slack\.com/[\w+/-]{16,}|discord(?:app)?\.com/api/webhooks/[\w/-]{16,}", re.ASCII)


def _find_vendor(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for token in _LONG_TOKEN.finditer(text):
        for pattern in (_VENDOR, _WEBHOOK) if "hook" in text else (_VENDOR,):
            spans += (match.span() for match in pattern.finditer(text, token.start(), token.end()))
    return spans


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
    if not ("bearer" in low or "basic" in low or "digest" in low or "token" in low or "key" in low or "nego" in low):
        return []
    return [match.span(1) for match in _AUTHORIZATION.finditer(text) if _CREDENTIAL.search(match.group(1))]


PEM = Detector("secret", _find_pem, needs=DASH | GAP, gives_way=False)
USERINFO = Detector("secret", _find_userinfo, needs=AT | COLON | SLASH)
VENDOR = Detector("secret", _find_vendor, needs=TOKEN)
AUTHORIZATION = Detector("secret", _find_authorization, needs=GAP)
