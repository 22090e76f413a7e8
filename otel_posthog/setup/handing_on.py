"""What other services are told of who acts, in baggage: what the policy allows, and nothing once somebody opted out."""

from __future__ import annotations

import time
from collections.abc import Callable

from otel_posthog.context import Baggage, use_baggage
from otel_posthog.errors import Guard
from otel_posthog.identity import Pseudonyms, usable
from otel_posthog.policy import CollectionChoice, IdentityMode, Policy


def hand_on(policy: Policy, pseudonyms: Pseudonyms, choice: CollectionChoice, guard: Guard) -> None:
    """Do with baggage what `policy` says.

    A lasting pseudonym is sent where a destination has lasting ids, else one of the day where one has those.
    """
    modes = {policy.identity_of(each) for each in policy.destinations if each.api_key}
    make: Callable[[str, int], str | None] | None = None
    if IdentityMode.PSEUDONYMOUS in modes or IdentityMode.IDENTIFIED in modes:
        make = pseudonyms.user
    elif IdentityMode.DAILY in modes:
        make = pseudonyms.daily
    carried = policy.identity_baggage

    def pseudonym_of(user_id: str) -> str | None:
        try:
            if make is None or choice.is_off() or usable(user_id, _unnoted, max_chars=None) is None:
                return None
            return make(user_id, time.time_ns())
        except Exception as error:
            guard.caught("baggage", error)
            return None

    use_baggage(Baggage(pseudonym_of if carried.sends else None, accepts=carried.accepts))


def _unnoted(_: str) -> None:
    """Count nothing: the events of this user do."""
