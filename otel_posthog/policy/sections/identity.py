"""Identity: who an event is sent as."""

from __future__ import annotations

from enum import Enum


class IdentityMode(str, Enum):
    """What an event tells of who acted; each mode tells more than the one before it.

    `ANONYMOUS`: one stable id per installation; no user, session, group, person or IP address.
    `DAILY`: a keyed hash of the user id under a salt that is thrown away each day; nothing else of who.
    `PSEUDONYMOUS`: keyed hashes of user, session and group ids; person and group properties.
    `IDENTIFIED`: the user id as it is; person properties, groups and sessions.
    """

    ANONYMOUS = "anonymous"
    DAILY = "daily"
    PSEUDONYMOUS = "pseudonymous"
    IDENTIFIED = "identified"

    @property
    def has_persons(self) -> bool:
        """Whether events may carry, and change, what PostHog keeps of a person or a group."""
        return self in {IdentityMode.PSEUDONYMOUS, IdentityMode.IDENTIFIED}


class Carried(str, Enum):
    """Whether who acts is handed on to other services in OpenTelemetry baggage, as a pseudonym and a consent only.

    A propagator does not see which host it writes to: whoever is called gets what is sent.
    """

    NONE = "none"
    SEND = "send"
    ACCEPT = "accept"
    BOTH = "both"

    @property
    def sends(self) -> bool:
        """Whether it is written into what this service sends."""
        return self in {Carried.SEND, Carried.BOTH}

    @property
    def accepts(self) -> bool:
        """Whether what other services wrote is believed."""
        return self in {Carried.ACCEPT, Carried.BOTH}
