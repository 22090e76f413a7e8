"""Addresses of machines: `ip` and `mac`.

Public IPv4 and IPv6 addresses; private, loopback, link-local and documentation ones tell of no person. Hardware
addresses, which name one device for good.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv6Address

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.prefilter import COLONS, DASHES, DIGIT, DOTS, DOTTED
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.words import words
from otel_posthog.regex import regex

_V4 = regex(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9]|\.[0-9])")
_V6 = regex(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{2,42}")

# What stands before a number with three dots that is a version: `version 1.2.3.4`, `pkg==1.2.3.4`, `Chrome/120.0.0.0`.
# Read backwards from the number: a search for what ends there would try every character before it.
_VERSION_WORDS = words("version versions ver release build revision rev firmware sdk driver update")
_INSTALLS = words("collecting installing installed downloading upgrading")
_VERSION_BEFORE = regex(
    rf"[\s:=\"'/-]{{0,3}}(?:{'|'.join(word[::-1] for word in (*_VERSION_WORDS, 'upgraded to'))})\b"
    rf"|\s?[:=](?:vr|v)\b|\(?\s\S{{1,40}}\s(?:{'|'.join(word[::-1] for word in _INSTALLS)})\b"
    r"|\s?=[=~<>^!]|/[\w.+-]*[A-Za-z](?:\Z|[\s(;,\"'])|@[A-Za-z]|-\w*[A-Za-z]",
    re.IGNORECASE,
)
_VERSION_AFTER = regex(
    r"[-.+]?(?:rc|alpha|beta|dev|post|final|ga|snapshot|release|jar|war|whl|tar|tgz|zip|exe|msi|dmg|apk)", re.IGNORECASE
)
_ADDRESS_WORDS = words("from at by to for host ip addr address client peer")
# What stands before an address under a key of versions.
_ADDRESS_BEFORE = regex(
    rf"[\s:=\"'(\[]{{1,4}}(?:{'|'.join(word[::-1] for word in _ADDRESS_WORDS)})\b"
    r"|//:|@",
    re.IGNORECASE,
)
_VERSION_NUMBERS = 64
_PART_OF_VERSION = frozenset(".vV0123456789")
_LOOK_BACK_CHARS = 48

_NON_PUBLIC_24 = frozenset({(192, 0, 0), (192, 0, 2), (198, 51, 100), (203, 0, 113)})


def _find_v4(text: str, facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [
        match.span()
        for match in _V4.finditer(text)
        if _is_public_v4(*(int(part) for part in match.groups()))
        and not _is_version(text, match)
        and (not facts.version or _is_named(text, match))
    ]


def _is_named(text: str, match: re.Match[str]) -> bool:
    """Return whether a word for an address stands before numbers of which few versions have two."""
    before = text[max(0, match.start() - _LOOK_BACK_CHARS) : match.start()][::-1]
    return (
        sum(int(part) >= _VERSION_NUMBERS for part in match.groups()) > 1 and _ADDRESS_BEFORE.match(before) is not None
    )


def _is_version(text: str, match: re.Match[str]) -> bool:
    if text[match.start() - 1 : match.start()] in _PART_OF_VERSION:
        return True
    before = text[max(0, match.start() - _LOOK_BACK_CHARS) : match.start()][::-1]
    return _VERSION_BEFORE.match(before) is not None or _VERSION_AFTER.match(text, match.end()) is not None


def _is_public_v4(a: int, b: int, c: int, d: int) -> bool:
    if max(a, b, c, d) > 255 or a in {0, 10, 127} or a >= 224:
        return False
    shared = a == 100 and 64 <= b <= 127
    private = (a == 172 and 16 <= b <= 31) or (a == 192 and b == 168) or (a == 169 and b == 254)
    benchmark = a == 198 and b in {18, 19}
    return not (shared or private or benchmark or (a, b, c) in _NON_PUBLIC_24)


def _find_v6(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for match in _V6.finditer(text):
        found = match.group().rstrip(".")
        # A trailing colon is the sentence's, unless it belongs to `::`.
        if found.endswith(":") and not found.endswith("::"):
            found = found[:-1]
        if ("::" in found or found.count(":") >= 6) and _is_public_v6(found):
            spans.append((match.start(), match.start() + len(found)))
    return spans


def _is_public_v6(text: str) -> bool:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    if address.ipv4_mapped is not None:
        return _is_public_v4(*address.ipv4_mapped.packed)
    number = int(address)
    documentation = number >> 96 == 0x20010DB8
    # 2000::/3 is all of the public unicast space; 64:ff9b::/96 carries an IPv4 address.
    return (number >> 125 == 1 and not documentation) or number >> 32 == 0x64FF9B << 64


IPV6 = Detector("ip", _find_v6, needs=COLONS | DIGIT)
IPV4 = Detector("ip", _find_v4, needs=DOTTED | DIGIT)


_MAC = regex(
    r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z]|[:-][0-9A-Fa-f]{2})"
)

# Cisco's way; without a letter it might be a number.
_DOTTED_MAC = regex(
    r"(?<![0-9A-Za-z.])(?=[0-9.]{0,14}[A-Fa-f])[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?![0-9A-Za-z]|\.[0-9A-Za-z])"
)
_DOTTED_MAC_END = regex(r"\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")


def _find_mac(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [match.span() for match in _MAC.finditer(text)] if text.count(":") >= 5 or text.count("-") >= 5 else []


def _find_dotted_mac(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    return [match.span() for match in _DOTTED_MAC.finditer(text)] if _DOTTED_MAC_END.search(text) else []


MAC = Detector("mac", _find_mac, needs_one=COLONS | DASHES)
DOTTED_MAC = Detector("mac", _find_dotted_mac, needs=DIGIT | DOTS)
