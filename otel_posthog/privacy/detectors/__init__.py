"""The value detectors, in the order in which they look at a text.

What is widest comes first: a private key before what looks like a card in it, an address in a URL's credentials before
it looks like an e-mail address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from otel_posthog.privacy.detectors.called import CALLED
from otel_posthog.privacy.detectors.card import CARD, CARD_GROUPS, is_card
from otel_posthog.privacy.detectors.cut import whole_until
from otel_posthog.privacy.detectors.detector import Detector, Span
from otel_posthog.privacy.detectors.email import EMAIL
from otel_posthog.privacy.detectors.gps import GPS, place
from otel_posthog.privacy.detectors.iban import IBAN
from otel_posthog.privacy.detectors.ip import IPV4, IPV6
from otel_posthog.privacy.detectors.jwt import JWT
from otel_posthog.privacy.detectors.mac import DOTTED_MAC, MAC
from otel_posthog.privacy.detectors.national_id import NATIONAL_ID, NATIONAL_ID_GROUPS
from otel_posthog.privacy.detectors.pairs import pairs, reader
from otel_posthog.privacy.detectors.phone import PHONE
from otel_posthog.privacy.detectors.secret import AUTHORIZATION, PEM, USERINFO
from otel_posthog.privacy.detectors.shapes import said, shapes
from otel_posthog.privacy.detectors.ssn import SSN
from otel_posthog.privacy.detectors.username import USERNAME
from otel_posthog.privacy.detectors.vendor import LONG_VENDOR, VENDOR
from otel_posthog.privacy.keys import KeyFacts

__all__ = ["PEM", "USERINFO", "Detector", "Span", "detectors", "is_card", "place", "whole_until"]

_ORDER = (
    PEM,
    USERINFO,
    JWT,
    VENDOR,
    LONG_VENDOR,
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
    CALLED,
    GPS,
    USERNAME,
)


def detectors(names: Collection[str], facts_of: Callable[[str], KeyFacts]) -> tuple[Detector, ...]:
    """Return the detectors that `names` switches on.

    Args:
        names: As in `PrivacyPolicy.detectors`.
        facts_of: The key rules, for `key=value` inside a text.
    """
    read = reader(facts_of)
    return tuple(each for each in (*_ORDER, shapes(read), said(read), pairs(read)) if each.name in names)
