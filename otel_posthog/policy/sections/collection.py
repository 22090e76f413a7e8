"""Collection: whether anything is collected at all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectionPolicy:
    """When anything is collected at all.

    Attributes:
        off_switches: Names of environment variables of the app's own that switch collection off when false.
        heed_dnt: True takes a request's header `DNT: 1` for a denial, as `Sec-GPC: 1` always is.
        consent_required: True sends only events whose consent is known to be given; False sends unless it is denied.
    """

    off_switches: tuple[str, ...] = ()
    heed_dnt: bool = True
    consent_required: bool = False
