"""The detectors as regular expressions of RE2, which has no look-around, no back-references and no checksums.

Each finds what the detector of that name finds in plain text, and more: where a checksum or the words around a number
decide here, every number of that shape is taken there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from otel_posthog.privacy.detectors.national_id import LABELS, LABELS_IN_WORDS
from otel_posthog.privacy.detectors.vendor_keys import CHARACTERS, beginnings
from otel_posthog.privacy.words import IBAN_LENGTHS, JOINED

_AT = r"(?:@|%40|%2540|&#64;|\\u0040)"
# What `redaction` sees of bytes is base64, in which an at sign has one of three forms; no shorter address is met.
_BASE64 = "[A-Za-z0-9+/]"
_AT_IN_BYTES = (
    rf"^(?:{_BASE64}{{4}})*(?:Q[A-P]|{_BASE64}[EUk0][A-D]|{_BASE64}{{2}}[BFJNRVZdhlptx159]A){_BASE64}{{5,}}={{0,2}}\z"
)
_OCTET = r"(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2}))"
# Of the first number those that are neither private nor reserved, and of 100, 169, 172 and 192 the second.
_PUBLIC_FIRST = (
    r"(?:[1-9]|1[1-9]|[2-9][0-9]|10[1-9]|11[0-9]|12[0-689]|1[3-5][0-9]|16[0-8]|17[013-9]|18[0-9]|19[013-9]"
    r"|20[0-9]|21[0-9]|22[0-3])"
)
_PUBLIC_PAIRS = (
    r"100\.(?:[0-9]|[1-5][0-9]|6[0-3]|12[89]|1[3-9][0-9]|2[0-4][0-9]|25[0-5])",
    r"169\.(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-35])",
    r"172\.(?:[0-9]|1[0-5]|3[2-9]|[4-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])",
    r"192\.(?:[0-9]|[1-9][0-9]|1[0-57-9][0-9]|16[0-79]|2[0-4][0-9]|25[0-5])",
)
_NAME = r"[^\s/\\\"'<>|:;,?*&()\[\]{}=]{1,64}"
_ID_NAMES = rf"(?:\b(?:{LABELS.replace(' ', '|')})\b|(?i:{LABELS_IN_WORDS}))"
_BEFORE_NUMBER = r"\W{0,4}(?:(?i:is|no|nr|number|code)\W{1,4})?"
_COUNTRIES = "|".join(sorted(IBAN_LENGTHS))

_PATTERNS: dict[str, tuple[str, ...]] = {
    "email": (rf"[\pL\pN._%+'-]{{1,64}}{_AT}(?:[\pL\pN_-]{{1,63}}\.){{1,10}}[\pL\pN-]{{2,63}}", _AT_IN_BYTES),
    "phone": (
        r"(?:\+|%2B|\b00)[ ]?\(?[1-9](?:[ .()/-]{0,3}[0-9]){6,14}",
        r"(?:\([0-9]{2,5}\)|\b[0-9]{3})[ .-]{0,2}[0-9]{3}[ .-][0-9]{3,5}\b",
        r"\b0[0-9]{1,4}[ /-][0-9]{3,8}(?:[ -][0-9]{2,5}){0,3}\b",
        r"\b0[0-9](?:[ .-][0-9]{2}){4}\b",
    ),
    "card": (r"\b(?:[0-9]{4}[ -]){3}[0-9]{1,7}\b", r"\b3[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5}\b", r"\b[0-9]{13,19}\b"),
    "iban": (rf"\b(?i:{_COUNTRIES})[0-9]{{2}}(?:[ -]?[0-9A-Z]{{4}}){{2,7}}(?:[ -]?[0-9A-Z]{{1,3}})?\b",),
    "ssn": (r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", r"\b[0-9]{3} [0-9]{2} [0-9]{4}\b"),
    "national_id": (
        r"\b[0-9]{10,18}\b",
        r"\b[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{3}(?:[ ./-]?[0-9]{1,4})?\b",
        r"\b[0-9]{6}[ /+-][0-9]{3,5}[0-9A-Z]?\b",
        r"(?i:\b[A-Z]{2}(?: ?[0-9]{2}){3} ?[A-D]\b)",
        rf"{_ID_NAMES}{_BEFORE_NUMBER}[0-9A-Z][0-9A-Z ./-]{{4,17}}[0-9A-Z]\b",
    ),
    "ip": (
        rf"\b{_PUBLIC_FIRST}{_OCTET}{{3}}\b",
        rf"\b(?:{'|'.join(_PUBLIC_PAIRS)}){_OCTET}{{2}}\b",
        r"\b[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}",
    ),
    "mac": (r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", r"\b[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\b"),
    "jwt": (r"eyJ[\w-]{10,}(?:\.[\w-]*){0,4}",),
    "gps": (
        r"[+-]?[0-9]{1,2}\.[0-9]{4,15}°?[NS]?[ ]{0,2}[,;/ ][ ]{0,2}[+-]?[0-9]{1,3}\.[0-9]{4,15}",
        r"[0-9]{1,2}°[ ]?[0-9]{1,2}['′’][^NS]{0,12}[NS][ ,]{0,3}[0-9]{1,3}°[ ]?[0-9]{1,2}['′’][^EW]{0,12}[EW]",  # noqa: RUF001 - signs of minutes
    ),
    "username": (
        rf"(?:/home|/Users|/export/home|/var/home)/{_NAME}",
        rf"(?i:[A-Z]:[\\/]{{1,4}}(?:Users|Documents and Settings|home)[\\/]{{1,4}}){_NAME}",
    ),
    "secret": (
        r"(?s:-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*)",
        r"://[^\s/?#\"'<>:@]{0,256}:[^\s\"'<>@]{1,256}@",
        r"(?i:\b(?:bearer|basic|digest|token|apikey|negotiate)(?:\s|%20|\+){1,3}[\w.~+/=-]{8,})",
    ),
}
# RE2's limit for one repetition.
_MOST_REPEATED = 1000


def blocked_values(detectors: Collection[str], sensitive_keys: Collection[str]) -> list[str]:
    """Return the patterns of what is replaced inside a text, widest first.

    Args:
        detectors: The names of those that are on.
        sensitive_keys: Words, as in `PrivacyPolicy.sensitive_keys`.
    """
    found: list[str] = []
    if "secret" in detectors:
        found += [*_PATTERNS["secret"], *_vendor_keys()]
    found += [pattern for name in _PATTERNS if name in detectors and name != "secret" for pattern in _PATTERNS[name]]
    if "secret" in detectors:
        words = "|".join(_spelt(word) for word in sorted(sensitive_keys))
        found.append(rf"(?i:(?:{words})[\"']?\s{{0,3}}[=:]\s{{0,3}})(?:\"[^\"]*\"|'[^']*'|[^\s\"'&,;]+)")
    return found


def blocked_keys(sensitive_keys: Collection[str]) -> list[str]:
    """Return the patterns of keys whose values are replaced: words as whole tokens, long ones anywhere in a key.

    Args:
        sensitive_keys: Words, as in `PrivacyPolicy.sensitive_keys`.
    """
    words = sorted(sensitive_keys)
    spelt = [_spelt(word) for word in words]
    anywhere = [_spelt(word) for word in words if len(word) > _TOKEN_CHARS or " " in word]
    capital = "|".join(word.capitalize() for word in words if word.isascii() and word.isalpha())
    return [
        rf"(?i:(?:^|[^\pL])(?:{'|'.join(spelt)})(?:[^\pL]|\z))",
        rf"(?i:{'|'.join(anywhere)})",
        *_joined(words),
        # One word of several without a gap: `userEmail`, `zipCode`.
        rf"[a-z0-9](?:{capital})(?:[^a-z]|\z)",
        rf"(?:^|[^\pL])(?:{capital.lower()})[A-Z]",
    ]


def id_keys(words: Collection[str]) -> list[str]:
    """Return the patterns of keys that are named like a person's id.

    Args:
        words: As in `PrivacyPolicy.id_keys`.
    """
    if not words:
        return []
    spelt = "|".join(_spelt(word) for word in sorted(words))
    camel = "|".join(_camel_case(word) for word in sorted(words))
    return [rf"(?i:(?:^|[^\pL])(?:{spelt})s?(?:[^\pL]|\z))", rf"[a-z0-9](?:{camel})s?(?:[^a-z]|\z)"]


def id_pairs(words: Collection[str]) -> list[str]:
    """Return the patterns of ids inside a text: `user_id=…`, with whatever value.

    Args:
        words: As in `PrivacyPolicy.id_keys`.
    """
    spelt = "|".join(_spelt(word) for word in sorted(words))
    return (
        [rf"(?i:\b(?:{spelt})s?[\"'\]]{{0,2}}\s{{0,3}}[=:]\s{{0,3}})(?:\"[^\"]*\"|'[^']*'|[^\s\"'&,;]+)"]
        if words
        else []
    )


def id_routes(words: Collection[str]) -> str:
    """Return the pattern of a route that names a part of its path as personal.

    Args:
        words: As in `PrivacyPolicy.sensitive_keys` and `id_keys`.
    """
    spelt = "|".join(_spelt(word) for word in sorted(words))
    named = rf"[<{{/:](?:[a-z]+[:(])?(?:[a-z0-9]+[_.-])?(?:{spelt})[^\pL]"
    return rf"(?i)(?:{named}|/(?:users?|sessions?|devices?|visitors?)/[<{{:])"


# Longer words are matched anywhere: unlike `auth` in `author` or `lat` in `latency`, they are part of no usual word.
_TOKEN_CHARS = 7

HARMLESS_KEYS = (
    r"^process\.(?:real_|saved_)?user\.id\z",
    r"(?i:(?:^|[^\pL])(?:ip|mac|peer|local|remote|listen|bind|server|memory|host)[ _.-]?address\z)",
    r"(?i:(?:client|source|destination)[ _.-]?address\z)",
    r"(?i:(?:address[ _.-]?family|auth[ _.-]?(?:method|type)|token[ _.-]?(?:count|type))\z)",
)
"""Technical terms in which a sensitive word is harmless, as in the filters; their values are searched all the same."""

KEYS_WITH_VALUES = r"@|%40|[0-9][0-9 ().+/:-]{5,}[0-9]|eyJ"
"""Matches keys that hold personal data themselves, and go with their values."""


def _spelt(word: str) -> str:
    """Return `word` with any of the gaps that keys have between words, in RE2."""
    return r"[ _.-]?".join(re.escape(part) for part in word.split())


def _camel_case(word: str) -> str:
    """Return `word` in camel case: `UserId`, `UserID`."""
    return "".join(part.capitalize() if part != "id" else "I[dD]" for part in word.split())


def _joined(words: list[str]) -> Iterator[str]:
    """Yield the pattern of credentials at the end of longer words: `clientsecret`."""
    endings = sorted(JOINED.intersection(words))
    if endings:
        yield rf"(?i:(?:{'|'.join(endings)})s?(?:[^\pL]|\z))"


def _vendor_keys() -> Iterator[str]:
    """Yield the patterns of vendors' keys, one for each set of characters behind the prefix."""
    by_kind: dict[str, list[str]] = {}
    for beginning, least, kind in beginnings():
        repeated = f"{{{min(int(least), _MOST_REPEATED)},}}"
        by_kind.setdefault(CHARACTERS[kind] + repeated, []).append(re.escape(beginning))
    for behind, escaped in by_kind.items():
        yield rf"\b(?:{'|'.join(escaped)}){behind}"
