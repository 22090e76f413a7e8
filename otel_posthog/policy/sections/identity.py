"""Identity: who an event is sent as, and what of that is handed on to other services.

`identity/` makes the ids; here are only the words that a policy chooses between.
"""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.fields import Choice, setting
from otel_posthog.policy.section import Section


class IdentityMode(Choice):
    """What an event says about who acted; each mode says more than the one before it."""

    UNLINKED = "unlinked", "an id for each event, made from its uuid; nothing that links it to another event."
    INSTALLATION = (
        "installation",
        (
            "an id for each installation, the same in all its events (see `installation_rotation`); no user, session, "
            "group, person or IP address. Also named `anonymous`."
        ),
    )
    # Its earlier name. In this mode users cannot be told apart, installations can.
    ANONYMOUS = "installation"
    DAILY = (
        "daily",
        "a keyed hash of the user id under a salt that is thrown away each day; nothing else.",
    )
    PSEUDONYMOUS = "pseudonymous", "keyed hashes of user, session and group ids; person and group properties."
    IDENTIFIED = "identified", "the user id as it is; person properties, groups and sessions."

    @classmethod
    def _missing_(cls, value: object) -> IdentityMode | None:
        return cls.ANONYMOUS if value == "anonymous" else None

    @property
    def has_persons(self) -> bool:
        """Whether events may carry, and change, what PostHog keeps of a person or a group."""
        return self is IdentityMode.PSEUDONYMOUS or self is IdentityMode.IDENTIFIED

    @property
    def tells_users_apart(self) -> bool:
        """Whether anything that is sent stands for a single user."""
        return self is not IdentityMode.UNLINKED and self is not IdentityMode.INSTALLATION


_PERIOD = (
    "for a year, month or ISO week in UTC. The id is made from a random secret that is deleted when the "
    "period is over; which one an event has is decided by its time."
)


class InstallationRotation(Choice):
    """How long an installation has the same id."""

    NEVER = "never", "as long as it is there; `INSTANCE_ID` may give the id."
    YEARLY = "yearly", _PERIOD
    MONTHLY = "monthly", _PERIOD
    WEEKLY = "weekly", _PERIOD


class Carried(Choice):
    """Whether who acts is handed on to other services in OpenTelemetry baggage, as a pseudonym and a consent only."""

    # A propagator does not see which host it writes to: whoever is called gets what is sent.
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


@dataclass(slots=True, repr=False, eq=False)
class IdentityUser(Section):
    """Who the user of a request is, where a web framework or its browser says it and the app itself does not."""

    attribute: str | None = setting(
        None,
        "Which attribute of the framework's user object is the id, `.` between those inside one another; the "
        "framework's own where not given (Django's primary key, Flask-Login's `get_id()`).",
    )
    takes_emails: bool = setting(
        False, "True takes an e-mail address for an id; where False, whoever has one for an id is nobody."
    )
    believes_browser: bool = setting(
        False,
        "True takes the header `X-POSTHOG-DISTINCT-ID`, which anybody may send, for who acts where no user is logged "
        "in.",
    )
