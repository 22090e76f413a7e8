"""What may stay of a value under a sensitive key: all of a harmless one, of a text the words around what was found.

A count, a kind, a coarse place stays whole (`is_harmless`). `Bearer …` keeps the scheme, a cookie header its names, a
log line under `email` all but the address (`words_around`). A text that is nothing but the secret, or that might hold
more of it (`Jane Doe <…>`), is replaced whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from otel_posthog.model import REDACTED
from otel_posthog.privacy.keys import MAX_FEW, KeyFacts
from otel_posthog.privacy.words import PLAIN, PREFERENCES, SHARED_ACCOUNTS
from otel_posthog.regex import regex

Clean = Callable[[str], str]
"""Returns a text with markers in place of what the detectors find."""

# What redaction leaves, and what the semantic conventions write for any other value.
_NOTHING = frozenset((REDACTED, "_OTHER"))
_NO_VALUES: tuple[object, ...] = ("", *_NOTHING, (), [], {})
_FINEST_COARSE, _MOST_DEGREES = 2, 100_000  # beyond, a whole number is one of millionths of a degree
_STATE = regex(r"[A-Za-z][A-Za-z0-9_ ./+-]{0,39}|\d{1,3}(?:\.\d{1,3}){0,3}")
_LONG_DIGITS = regex(r"\d{4}")
_NUMBER = regex(r"-?\d{1,15}(?:\.\d{1,6})?")

_CREDENTIALS = frozenset(("secret", "jwt"))
_MARKER = regex(r"\[[a-z_]{2,16}\]")
_HEADER = regex(
    r"\W*(?:(?:proxy-)?authorization\W+)?(?:(?:bearer|basic|digest|token|apikey|negotiate)\W*)?", re.IGNORECASE
)
_WORD = regex(r"[^\W\d_]{2,}")
_OPAQUE = regex(r"\d{5}|(?=[^\W_]{0,64}\d)(?=[^\W_]{0,64}[^\W\d_])[^\W_]{8}")

_COOKIES = regex(r"[^\s=;,]{1,128}(?:=[^;]*)?(?:;\s*[^\s=;,]{1,128}(?:=[^;]*)?)*;?\s*")
_COOKIE = regex(r"([^\s=;,]{1,128})=([^;]*)")
_PLAIN_VALUE = regex(r"[A-Za-z][A-Za-z/_-]{0,31}|\d{1,3}|")


def is_harmless(facts: KeyFacts, value: object) -> bool:
    """Return whether `value` gives nothing away even under a sensitive key."""
    if facts.strict:
        return value is None or value in _NO_VALUES
    if isinstance(value, str):
        return not value or value in _NOTHING or _is_harmless_text(facts, value)
    if isinstance(value, (int, float)):
        return isinstance(value, bool) or abs(value) <= facts.max_number or _is_coarse(facts, value)
    if isinstance(value, Mapping):
        return not value
    if isinstance(value, (list, tuple)):
        return not value or (_may_list(facts, value) and all(is_harmless(facts, each) for each in value))
    return value is None


def _is_coarse(facts: KeyFacts, number: float) -> bool:
    """Return whether a number under a key for places is too coarse for a place, or no number of degrees."""
    return "gps" in facts.kinds and abs(number) < _MOST_DEGREES and round(number, _FINEST_COARSE) == number


def _may_list(facts: KeyFacts, values: list[object] | tuple[object, ...]) -> bool:
    """Return whether a list may hold counts, kinds or coarse places, and not the sensitive values themselves."""
    if facts.lenient or facts.counts or "gps" in facts.kinds:
        return True
    return facts.max_number > MAX_FEW and not any(isinstance(each, str) for each in values)


def _is_harmless_text(facts: KeyFacts, text: str) -> bool:
    if not facts.credential and text in SHARED_ACCOUNTS:
        return True
    if facts.reference and text.startswith("arn:"):
        return True
    if facts.max_number and _NUMBER.fullmatch(text):
        return abs(float(text)) <= facts.max_number
    if not facts.lenient or _STATE.fullmatch(text) is None or _LONG_DIGITS.search(text) is not None:
        return False
    # `not verified` is a state, `Ada Lovelace` a person.
    words = text.lower().split()
    return facts.credential or len(words) == 1 or not PLAIN.isdisjoint(words)


def words_around(text: str, facts: KeyFacts, clean: Clean) -> str | None:
    """Return what of `text` may stay under a sensitive key, or None.

    Args:
        text: The value.
        facts: What the key says of it.
        clean: The detectors.
    """
    if facts.strict:
        return None
    if "cookie" in facts.kinds and "=" in text and _COOKIES.fullmatch(text):
        return _COOKIE.sub(_without_value, text)
    cleaned = clean(text)
    # A marker that was there before counts too: what may stay the first time may stay when it is filtered again.
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
    # A name may be written in lower case: unknown words must be fewer than known ones.
    return plain > 1 and len(words) - plain < plain


def is_same(left: object, value: object) -> bool:
    """Return whether a text, or each text of a list, is as it was; nothing else is compared."""
    if isinstance(left, list) and isinstance(value, (list, tuple)):
        return len(left) == len(value) and all(map(is_same, left, value))
    return type(left) is type(value) is str and left == value
