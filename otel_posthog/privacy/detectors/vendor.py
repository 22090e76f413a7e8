"""Vendors' keys, told by how they begin; the table of beginnings is a file of its own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span, apart
from otel_posthog.privacy.detectors.look import LONG_TOKEN, TOKEN, long_words
from otel_posthog.privacy.detectors.vendor_keys import TABLE
from otel_posthog.privacy.keys import KeyFacts

CHARACTERS = {
    "w": "[0-9A-Za-z_-]",
    "t": "[0-9A-Za-z_.=~-]",
    "b": "[0-9A-Za-z_+/=-]",
    "x": "[0-9a-fA-F]",
    "u": "[0-9A-Z]",
    "a": "[0-9A-Za-z]",
    "h": "[0-9A-Za-z]",
}
"""What stands behind a beginning, by the kinds of the table."""


def beginnings() -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table: a beginning, how many characters stand behind it at least, and of which kind."""
    for line in TABLE.splitlines():
        beginning, least, kind = line.split()[:3]
        yield beginning, least, kind


def _behind(least: str, kind: str) -> str:
    # No more than that of a whole word: a key of that kind has one length.
    return f"{CHARACTERS[kind]}{{{least}}}(?![0-9A-Za-z_-])" if kind == "h" else f"{CHARACTERS[kind]}{{{least},}}"


def _compiled(*odd: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((hint, re.compile(pattern, re.ASCII)) for hint, pattern in odd)


# No beginning of their own. Behind each the few characters without which none is there.
_ODD = _compiled(
    (".atlasv1.", r"[0-9A-Za-z]{10,20}\.atlasv1\.[0-9A-Za-z_=-]{16,}"),  # Terraform
    ("Q~", r"(?<![0-9A-Za-z_~.])[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_.~-]{20,}"),  # Microsoft Entra
    ("_mmk", r"(?<![0-9A-Za-z])[0-9A-Za-z]{6}_[0-9A-Za-z]{20,}_mmk"),  # MaxMind
    ("API-", r"(?<![0-9A-Za-z])API-(?=[A-Z]{0,64}[0-9])[0-9A-Z]{16,}"),  # Octopus
    ("hooks.slack.com/", r"hooks\.slack\.com/[a-z]{4,12}/[0-9A-Za-z_/+-]{20,}"),
    ("/webhooks/", r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{10,24}/[0-9A-Za-z_-]{16,}"),
    (".office.com/", r"webhook\.office\.com/webhookb2?/[0-9a-f@-]{36,}/IncomingWebhook/[0-9A-Za-z_/-]{16,}"),
    ("|", r"(?<![0-9A-Za-z])(?:prod|dev|preview):[0-9a-z-]{3,64}\|[0-9A-Za-z+/=]{40,}"),  # Convex
)
# The same, with a word of at least 26 characters in each.
_LONG_ODD = _compiled(
    (":AA", r"(?<![0-9])[0-9]{8,10}:AA[0-9A-Za-z_-]{30,}"),  # Telegram
    ("|", r"(?<![0-9])[0-9]{15,16}\|[0-9A-Za-z_-]{27,}"),  # Facebook apps
    ("pat", r"(?<![0-9A-Za-z])pat[0-9A-Za-z]{14}\.[0-9a-f]{40,}"),  # Airtable
    ("v1.0-", r"(?<![0-9A-Za-z])v1\.0-[0-9a-f]{24}-[0-9a-f]{64,}"),  # Cloudflare origin CA
    ("fc-", r"(?<![0-9A-Za-z-])fc-[0-9a-f]{32}(?![0-9A-Za-z-])"),  # Firecrawl
    ("-us", r"(?<![0-9A-Za-z])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z])"),  # Mailchimp
    ("NRAL", r"(?<![0-9A-Za-z])[0-9a-f]{36}NRAL(?![0-9A-Za-z])"),  # New Relic ingest
    ("AZDO", r"(?<![0-9A-Za-z])[0-9A-Za-z]{70,80}AZDO[0-9A-Za-z]{4}(?![0-9A-Za-z])"),  # Azure DevOps
    ("pk_", r"(?<![0-9A-Za-z])pk_[0-9]{6,10}_[0-9A-Z]{28,}"),  # ClickUp
    ("re_", r"(?<![0-9A-Za-z_])re_[0-9A-Za-z]{8}_[0-9A-Za-z]{20,}"),  # Resend
    ("sdk-", r"(?<![0-9A-Za-z-])sdk-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),  # LaunchDarkly
    ("api-", r"(?<![0-9A-Za-z-])api-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),  # LaunchDarkly
    (":", r"(?<![0-9A-Za-z])[12]/[0-9]{15,20}(?:/[0-9]{15,20})?:[0-9a-f]{32}"),  # Asana
    ("00", r"(?<![0-9A-Za-z_-])00(?=[0-9a-f_-]{0,40}[G-Zg-z])[0-9A-Za-z_-]{40}(?![0-9A-Za-z_-])"),  # Okta
    (".", r"(?<![0-9A-Za-z_.-])[MNO][0-9A-Za-z_-]{23,25}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,}"),  # Discord
)
# `sk_live_…`, `shippo_test_…`, `sm_pat_…`: what it is for, then something opaque.
_PURPOSE = r"_(?:live|test|prod|sandbox|api|oauth|pat|tkn|pw|key|token|secret|aat|sat)_"
_HAS_PURPOSE = re.compile(_PURPOSE)
_FOR_A_PURPOSE = re.compile(
    rf"(?<![0-9A-Za-z])[A-Za-z][0-9A-Za-z]{{1,11}}{_PURPOSE}(?:[a-z]{{2,8}}_)?(?=[0-9A-Za-z_=.-]{{0,64}}[0-9])[0-9A-Za-z_=.-]{{16,}}",
    re.ASCII,
)


def _shapes() -> re.Pattern[str]:
    by_first: dict[str, list[str]] = defaultdict(list)
    for beginning, least, kind in beginnings():
        by_first[beginning[0]].append(re.escape(beginning[1:]) + _behind(least, kind))
    # By first letter: where a word begins, one comparison for each letter rules all of its beginnings out.
    grouped = "|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in by_first.items())
    return re.compile(rf"(?<![0-9A-Za-z])(?:{grouped})", re.ASCII)


_SHAPES = _shapes()
_MAX_DOTTED = 32  # `snyk_uat.0123abcd.`, before the first long word of a key
# Hashes, UUIDs, names of things.
_PLAIN_RUN = re.compile(r"[0-9a-f-]+|[0-9A-F-]+|[A-Za-z]{1,15}(?:[_-][A-Za-z]{1,15})*")


def _find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans = _begun(text)
    for hint, pattern in _ODD:
        if hint in text:
            spans += (match.span() for match in pattern.finditer(text))
    if "_" in text and _HAS_PURPOSE.search(text):
        spans += (match.span() for match in _FOR_A_PURPOSE.finditer(text))
    return apart(spans) if len(spans) > 1 else spans


def _find_long(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for hint, pattern in _LONG_ODD:
        if hint in text:
            spans += (match.span() for match in pattern.finditer(text))
    return apart(spans) if len(spans) > 1 else spans


def _begun(text: str) -> list[Span]:
    """Return the keys that begin like one, at a long word that is no plain one or up to `_MAX_DOTTED` before it."""
    spans: list[Span] = []
    end = 0
    key: re.Match[str] | None = None
    for run_start, run_end in long_words(text):
        if run_end <= end or _PLAIN_RUN.fullmatch(text, run_start, run_end):
            continue
        start = max(end, run_start - _MAX_DOTTED)
        while True:
            if key is None or key.start() < start:
                key = _SHAPES.search(text, start)
                if key is None:
                    return spans
            # What begins behind this word is kept for the next one: no part of the text is searched twice.
            if key.start() >= run_end:
                break
            spans.append(key.span())
            start = end = key.end()
    return spans


VENDOR = Detector("secret", _find, needs=TOKEN)
LONG_VENDOR = Detector("secret", _find_long, needs=LONG_TOKEN)
