"""Keyed tokens: the same value gives the same token, and only with the key can the value be guessed.

HMAC-SHA-256 (RFC 2104), cut to 96 bits, which RFC 2104 section 5 allows (at least half would be 128; what a cut costs
here is collisions, not secrecy: 96 bits give an even chance of one after 2^48 values). Written in the letters a-p, so
that no detector of numbers takes a token for one. A token ends in a keyed check, by which the filter recognises tokens
of its own and leaves them alone; a text that only looks like a token is filtered.
"""

from __future__ import annotations

import hashlib
import hmac
import re

_TOKEN_BYTES, _CHECK_BYTES = 12, 3
_LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")
_FORM = re.compile(r"\[([a-z_]{1,32})#([a-p]{24})([a-p]{6})\]")


class Tokens:
    """Makes tokens and knows them again; thread-safe.

    Args:
        key: At least 32 bytes.
    """

    __slots__ = ("_check_key", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"otel-posthog token", hashlib.sha256)
        self._check_key = hmac.digest(key, b"otel-posthog token check", hashlib.sha256)

    def token(self, label: str, value: str) -> str:
        """Return the token of `value`; a value that is a token of this key already stays as it is.

        Args:
            label: What kind of value it is (`email`); the token shows it, and another label gives another token.
            value: Any text.
        """
        if self.is_own(value):
            return value
        body = self._letters(self._key, f"{label}:{value}", _TOKEN_BYTES)
        return f"[{label}#{body}{self._check(label, body)}]"

    def is_own(self, text: str) -> bool:
        """Return whether `text` is a token that this key has made."""
        form = _FORM.fullmatch(text)
        return form is not None and hmac.compare_digest(self._check(form[1], form[2]), form[3])

    def _check(self, label: str, body: str) -> str:
        return self._letters(self._check_key, f"{label}#{body}", _CHECK_BYTES)

    @staticmethod
    def _letters(key: bytes, text: str, size_bytes: int) -> str:
        digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return digest[:size_bytes].hex().encode().translate(_LETTERS).decode()
