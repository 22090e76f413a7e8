"""The methods of a policy: from a value, or a part of a text, to what may stand in its place.

Comes in: what a detector found in a text (`HitMethods`), or a whole value under a key that a rule selects
(`ValueMethod`). Goes out: a marker, a mask, a token, a network, a range. Pure and thread-safe, and idempotent: what a
method has made, it leaves alone. None of them repeats what it replaces.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from itertools import pairwise

from otel_posthog.model import REDACTED
from otel_posthog.policy import HitMethod, Method, Rule
from otel_posthog.regex import regex

AFTER_CHARS = 4
"""How many of the characters after a hit a method sees: enough for `/48` and one more."""

Replacement = Callable[[str, str], str]
"""`(hit, after) -> text`: what stands for a hit, given what follows it; the hit itself where it may stay."""

ValueMethod = Callable[[object], "str | None"]
"""`(plain value) -> text`: what stands for a str, bool, int or float; None where the value goes."""

MASK = "****"

MAX_KEEP_LAST = 4
"""What receipts print of a card (PCI DSS 3.4.1 allows the last four digits); more would begin to identify."""

# Of a short value the last four characters are most of it: at least three times as many stay hidden.
_MIN_CHARS_PER_KEPT = 4

V4_BITS, V6_BITS = 24, 48

_MAX_ADDRESS_CHARS = 64  # an address with a zone and a prefix length is shorter
_NUMBER = regex(r"-?\d{1,15}(?:\.\d{1,15})?")

_TOKEN_BYTES, _CHECK_BYTES = 12, 3
_LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")
_FORM = regex(r"\[([a-z_]{1,32})#([a-p]{24})([a-p]{6})\]")


@dataclass(frozen=True, slots=True)
class HitMethods:
    """The methods of all detectors under one key.

    Attributes:
        replacements: By detector; one that is not named has its marker put in place of a hit.
        skipped: Detectors that do not look.
        dropping: Detectors whose hit removes the property.
    """

    replacements: Mapping[str, Replacement] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    dropping: frozenset[str] = frozenset()

    def replace(self, detector: str, hit: str, after: str = "") -> str:
        """Return what stands for `hit` of `detector`; `after` is what follows it in the text."""
        method = self.replacements.get(detector)
        return f"[{detector}]" if method is None else method(hit, after)


MARKERS = HitMethods()
"""Every hit is replaced by its detector's marker."""


def hit_methods(methods: Mapping[str, HitMethod], tokens: Tokens | None) -> HitMethods:
    """Return the compiled form of `methods`.

    Args:
        methods: By detector.
        tokens: Makes the tokens of `HMAC`; not None where a detector has that method.
    """
    made = HitMethods(
        replacements={
            name: made for name, method in methods.items() if (made := _replacement(name, method, tokens)) is not None
        },
        skipped=frozenset(name for name, method in methods.items() if method is HitMethod.OFF),
        dropping=frozenset(name for name, method in methods.items() if method is HitMethod.DROP),
    )
    return MARKERS if made == MARKERS else made


def _replacement(detector: str, method: HitMethod, tokens: Tokens | None) -> Replacement | None:
    if method is HitMethod.MASK:
        return lambda _hit, _after: MASK
    if method is HitMethod.IP_PREFIX:
        return lambda hit, after: ip_prefix_of_hit(hit, after) or f"[{detector}]"
    if method is HitMethod.HMAC and tokens is not None:
        # The bracket that ends a token may be taken for the end of a list, and not be part of the hit.
        return lambda hit, after: hit if after[:1] == "]" and tokens.is_own(hit + "]") else tokens.token(detector, hit)
    return None


def value_method(rule: Rule, tokens: Tokens | None) -> ValueMethod | None:  # noqa: PLR0911 - one per method
    """Return the compiled method of `rule`; None for `keep` and `truncate`, which leave the value to the detectors.

    Args:
        rule: One that picks whole values.
        tokens: Makes the tokens of `HMAC`; not None where the rule has that method.
    """
    method = rule.method
    if method in {Method.KEEP, Method.TRUNCATE}:
        return None
    if method is Method.REPLACE:
        return lambda _: REDACTED
    if method is Method.MASK:
        return lambda value: mask(_text(value), rule.keep_last)
    if method is Method.BUCKET:
        return lambda value: bucket(value, rule.bounds)
    if method is Method.IP_PREFIX:
        return lambda value: ip_prefix(value) if isinstance(value, str) else None
    if method is Method.HMAC and tokens is not None:
        return lambda value: tokens.token(rule.name, _text(value))
    return lambda _: None


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


class Tokens:
    """Makes keyed tokens and recognises them: the same value gives the same token, and only the key leads to the value.

    HMAC-SHA-256 (RFC 2104), cut to 96 bits, which RFC 2104 section 5 allows (at least half would be 128; a cut costs no
    secrecy but collisions: with 96 bits an even chance of one after 2^48 values). Written in the letters a-p: no
    detector of numbers takes a token for one. It ends in a keyed check, by which the filter recognises tokens of
    its own and leaves them alone; a text that only looks like a token is filtered. Thread-safe.

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


def mask(text: str, keep_last: int = 0) -> str:
    """Return the mask of `text`; of what is a mask already, the same.

    Args:
        text: Any text.
        keep_last: How many of its last characters follow the mask, at most 4 and at most a quarter of the text.
    """
    if is_mask(text, keep_last):
        return text
    kept = min(keep_last, MAX_KEEP_LAST, len(text) // _MIN_CHARS_PER_KEPT)
    return f"{MASK}{text[-kept:]}" if kept > 0 else MASK


def is_mask(text: str, keep_last: int) -> bool:
    """Return whether `text` is a mask with at most `keep_last` characters behind it."""
    return text.startswith(MASK) and len(text) <= len(MASK) + min(keep_last, MAX_KEEP_LAST)


def ip_prefix(text: str) -> str | None:
    """Return the network of the address that `text` is; of such a network the same; None for anything else."""
    if len(text) > _MAX_ADDRESS_CHARS:
        return None
    address, _, length = text.partition("/")
    network = _network(address)
    if network is None:
        return None
    return network if not length or text == network else None


def ip_prefix_of_hit(hit: str, after: str) -> str | None:
    """Return what stands for an address found in a text.

    Args:
        hit: The address.
        after: What follows it; an address that is already written as a network stays as it is.

    Returns:
        None where the hit alone is no address.
    """
    network = _network(hit)
    if network is None:
        return None
    base, _, length = network.partition("/")
    is_network = hit == base and after.startswith(f"/{length}") and not after[len(length) + 1 :][:1].isdigit()
    return hit if is_network else network


def _network(text: str) -> str | None:
    try:
        if ":" not in text:
            number = int(IPv4Address(text)) >> (32 - V4_BITS) << (32 - V4_BITS)
            return f"{IPv4Address(number)}/{V4_BITS}"
        address = IPv6Address(text.partition("%")[0])
        if address.ipv4_mapped is not None:
            return _network(str(address.ipv4_mapped))
        return f"{IPv6Address(int(address) >> (128 - V6_BITS) << (128 - V6_BITS))}/{V6_BITS}"
    except AddressValueError:
        return None


def bucket(value: object, bounds: Sequence[float]) -> str | None:
    """Return the range of `value`; the same text for a range of these bounds; None for what is no number.

    Args:
        value: A number, or a text that is one.
        bounds: Ascending; a range holds its lower bound and not its upper one.
    """
    if isinstance(value, str):
        if value in labels(bounds):
            return value
        if _NUMBER.fullmatch(value) is None:
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        return None
    return labels(bounds)[bisect_right(bounds, value)]


def labels(bounds: Sequence[float]) -> list[str]:
    """Return the names of the ranges between `bounds`, ascending."""
    names = [f"{bound:.15g}" for bound in bounds]
    inner = [f"{low}-{high}" for low, high in pairwise(names)]
    return [f"<{names[0]}", *inner, f">={names[-1]}"]
