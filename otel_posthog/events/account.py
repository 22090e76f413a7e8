"""How people come and go: log-in, log-out, sign-up.

Never who: that is `analytics.user.id`, through the identity mode.
"""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class UserLoggedIn(TypedDict, total=False):
    """`user_logged_in`: somebody logged in.

    Attributes:
        method: `password`, `sso`, `passkey`, ...
        is_first: Whether it is their first time.
        has_second_factor: Whether a second factor was asked for.
    """

    method: str
    is_first: bool
    has_second_factor: bool


class UserLoggedOut(TypedDict, total=False):
    """`user_logged_out`: somebody logged out, or was.

    Attributes:
        reason: `user`, `timeout`, `revoked`.
        session_duration_s: How long they were logged in, in seconds.
    """

    reason: str
    session_duration_s: Duration


class UserSignedUp(TypedDict, total=False):
    """`user_signed_up`: an account was made.

    Attributes:
        method: As for log-in.
        plan: The plan they begin with.
        is_invited: Whether a colleague invited them.
        referrer_kind: `search`, `partner`, `direct`, ...; not the address.
    """

    method: str
    plan: str
    is_invited: bool
    referrer_kind: str
