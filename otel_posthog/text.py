"""Text from outside, in characters that a terminal shows and does not obey."""

from __future__ import annotations

import re

from otel_posthog.regex import regex

UNSEEN = regex(
    "[\x00-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
"""Controls, format characters (which turn the direction of a text or are not seen), surrogates, line separators."""


def visible(text: str) -> str:
    """Return `text` on one line, with an escape for each character that is not seen or that a terminal acts on."""
    return text if text.isascii() and text.isprintable() else UNSEEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
