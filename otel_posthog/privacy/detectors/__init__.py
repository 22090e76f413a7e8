"""The value detectors, in the order in which they search a text.

What is widest comes first: a private key before what looks like a card in it, credentials in a URL before what looks
like an e-mail address in them. A file is named after the kind of value; its docstring begins with the names of its
detectors, as the policy switches them on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from otel_posthog.privacy.detectors.account import ADDRESS, EMAIL, USERNAME
from otel_posthog.privacy.detectors.detector import Detector, Find, Span
from otel_posthog.privacy.detectors.gps import GPS, place
from otel_posthog.privacy.detectors.key_value_pairs import key_value_pairs, pair_key_reader
from otel_posthog.privacy.detectors.named_secrets import secrets_by_place, secrets_in_sentences
from otel_posthog.privacy.detectors.national_id import NATIONAL_ID, NATIONAL_ID_GROUPS, SSN
from otel_posthog.privacy.detectors.network import DOTTED_MAC, IPV4, IPV6, MAC
from otel_posthog.privacy.detectors.payment import CARD, CARD_GROUPS, IBAN, is_card
from otel_posthog.privacy.detectors.phone import LABELLED_PHONE, PHONE
from otel_posthog.privacy.detectors.secret import AUTHORIZATION, JWT, PEM, USERINFO, is_open_userinfo
from otel_posthog.privacy.detectors.vendor_keys import LONG_VENDOR_KEY, VENDOR_KEY
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.regex import regex

__all__ = ["PEM", "USERINFO", "Detector", "Find", "Span", "detectors", "is_card", "place", "whole_until"]

_ORDER = (
    PEM,
    USERINFO,
    JWT,
    VENDOR_KEY,
    LONG_VENDOR_KEY,
    AUTHORIZATION,
    EMAIL,
    MAC,
    DOTTED_MAC,
    IPV6,
    IPV4,
    IBAN,
    CARD,
    CARD_GROUPS,
    SSN,
    NATIONAL_ID,
    NATIONAL_ID_GROUPS,
    PHONE,
    LABELLED_PHONE,
    GPS,
    USERNAME,
)
_ADDRESS = regex(ADDRESS)


def detectors(names: Collection[str], facts_of: Callable[[str], KeyFacts]) -> tuple[Detector, ...]:
    """Return the detectors that `names` switches on.

    Args:
        names: As in `PrivacyPolicy.detectors`.
        facts_of: The key rules, for `key=value` inside a text.
    """
    read_key = pair_key_reader(facts_of)
    named = (secrets_by_place(read_key), secrets_in_sentences(read_key), key_value_pairs(read_key))
    return tuple(each for each in (*_ORDER, *named) if each.name in names)


def whole_until(text: str, end: int) -> str:
    """Return `text` up to about `end`, so that the detectors still find a value that is cut there.

    Args:
        text: Any text; of one that is not longer, all is returned.
        end: Where it is cut, in characters.
    """
    if len(text) <= end:
        return text
    before, after = _ADDRESS.match(text[:end][::-1]), _ADDRESS.match(text, end)
    start = end - before.end() if before else end
    if text.find("@", start, after.end() if after else end) >= 0:
        end = start
    # An `@` ends the credentials of a URL, and a tag the element before it.
    return text[:end] + ("@" if is_open_userinfo(text[:end]) else "</")
