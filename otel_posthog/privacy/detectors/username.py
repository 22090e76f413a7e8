"""The name of whoever's home directory a path leads through."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.look import SLASH
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.words import SHARED_ACCOUNTS

# `/home/…` within an address of a web page is a page; at the beginning of a path of files it is a person's.
_HOME = re.compile(
    r"(?:(?:(?<![0-9A-Za-z_.%~}-])|(?<=[A-Za-z]:)|(?<=file://)|(?<=/mnt/[a-z]))(?:/home|/Users|/export/home|/var/home)/"
    r"|\b[A-Za-z]:[\\/]{1,4}(?:Users|Documents and Settings|home)[\\/]{1,4}"
    r"|\\\\?(?:Users|home)\\\\?)"
    r"([^\s/\\\"'<>|:;,?*&()\[\]{}=]+(?:(?: [^\s/\\\"'<>|:;,?*&()\[\]{}=]{1,32}){1,3}(?=[\\/]))?)",
)


def _find(text: str, facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    if facts.page or not ("ome" in text or "sers" in text or "ettings" in text):
        return []
    return [match.span(1) for match in _HOME.finditer(text) if match[1].lower() not in SHARED_ACCOUNTS]


USERNAME = Detector("username", _find, needs=SLASH, gives_way=False)
