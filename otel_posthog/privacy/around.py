"""What may stay of a text under a sensitive key: the words around what the detectors found, if they say nothing more.

`Bearer …` keeps the scheme, a cookie header its names, a log line under `email` all but the address. A value that is
nothing but the secret, or that might hold more of it (`Jane Doe <…>`), goes whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from otel_posthog.model import REDACTED
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.words import PLAIN, PREFERENCES

Clean = Callable[[str], str]
"""Returns a text with markers in place of what the detectors find."""

_CREDENTIALS = frozenset(("secret", "jwt"))
_MARKER = re.compile(r"\[[a-z_]{2,16}\]")
_HEADER = re.compile(
    r"\W*(?:(?:proxy-)?authorization\W+)?(?:(?:bearer|basic|digest|token|apikey|negotiate)\W*)?", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_OPAQUE = re.compile(r"\d{5}|(?=[^\W_]{0,64}\d)(?=[^\W_]{0,64}[^\W\d_])[^\W_]{8}")

_COOKIES = re.compile(r"[^\s=;,]{1,128}(?:=[^;]*)?(?:;\s*[^\s=;,]{1,128}(?:=[^;]*)?)*;?\s*")
_COOKIE = re.compile(r"([^\s=;,]{1,128})=([^;]*)")
_PLAIN_VALUE = re.compile(r"[A-Za-z][A-Za-z/_-]{0,31}|\d{1,3}|")


def around(text: str, facts: KeyFacts, clean: Clean) -> str | None:
    """Return what of `text` may stay under a sensitive key, or None.

    Args:
        text: The value.
        facts: What the key tells.
        clean: The detectors.
    """
    if facts.strict:
        return None
    if "cookie" in facts.kinds and "=" in text and _COOKIES.fullmatch(text):
        return _COOKIE.sub(_without_value, text)
    cleaned = clean(text)
    # Also by a marker that was there before: what may stay of a text may stay of it when it comes again.
    if not any(f"[{kind}]" in cleaned for kind in facts.kinds | (_CREDENTIALS if facts.credential else frozenset())):
        return None
    return cleaned if _says_nothing(_MARKER.sub(" ", cleaned)) else None


def _without_value(cookie: re.Match[str]) -> str:
    name, value = cookie[1], cookie[2]
    if name.lower() in PREFERENCES and _PLAIN_VALUE.fullmatch(value):
        return f"{name}={value}"
    return f"{name}={REDACTED}"


def _says_nothing(rest: str) -> bool:
    """Return whether `rest` is a header's scheme, or reads like a sentence, a log line or a structure."""
    if _HEADER.fullmatch(rest):
        return _WORD.search(rest) is not None
    if _OPAQUE.search(rest):
        return False
    words = _WORD.findall(rest)
    plain = sum(1 for word in words if word.lower() in PLAIN)
    # A name may be written in lower case: what is unknown must be little beside what is not.
    return plain > 1 and len(words) - plain < plain


def is_same(left: object, value: object) -> bool:
    """Return whether a text, or each text of a list, is as it was; nothing else is compared."""
    if isinstance(left, list) and isinstance(value, (list, tuple)):
        return len(left) == len(value) and all(map(is_same, left, value))
    return type(left) is type(value) is str and left == value
