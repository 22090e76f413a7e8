"""What people are told: the line of each start, and the notice of the first."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from otel_posthog import environment_variables as env
from otel_posthog.policy import Collection, IdentityMode, Policy

_WIDTH = 76
_PLAIN = str.maketrans("╭╮╰╯─│", "++++-|")


# What a user is told of the mode that tells most of them.
_WHO = {
    IdentityMode.ANONYMOUS: "Events are anonymous: no user ids, no sessions, no IP addresses.",
    IdentityMode.DAILY: (
        "Users are counted under ids that change every day and cannot be traced back: no user ids, no sessions, "
        "no IP addresses."
    ),
    IdentityMode.PSEUDONYMOUS: (
        "Events carry pseudonyms in place of user ids, so that the operator can follow how features are used; no IP "
        "addresses."
    ),
    IdentityMode.IDENTIFIED: "Events carry user ids, so that the operator can follow how features are used.",
}


def start_line(policy: Policy, collection: Collection) -> str:
    """Return the one line that each start logs."""
    if not collection.enabled:
        return f"Usage statistics disabled by {collection.reason}"
    if collection.is_preview:
        return f"Usage statistics in preview by {env.OTEL_POSTHOG_ENABLED}=preview: events are counted, none is sent"
    modes = {policy.identity_of(each) for each in policy.destinations if each.api_key}
    kept = "preserved" if IdentityMode.IDENTIFIED in modes else "anonymized"
    return f"Usage statistics enabled (user IDs {kept})"


def off_switch(policy: Policy) -> str:
    """Return the switch that a person would use: the app's own alias if it has one."""
    return next(iter(policy.collection.off_switches), env.USAGE_STATS)


def notice_text(policy: Policy) -> str:
    """Return what a user is told about usage statistics, as plain text for a terminal or a user interface."""
    modes = {policy.identity_of(each) for each in policy.destinations}
    who = next(_WHO[mode] for mode in reversed(IdentityMode) if mode in modes)
    return (
        f"This application sends usage statistics to improve it. {who} E-mail addresses, phone and card numbers, "
        f"public IP addresses, passwords and keys are removed before anything is sent.\n\n"
        f"To switch this off, set {off_switch(policy)}=false."
    )


def notice_box(policy: Policy, *, encoding: str = "utf-8") -> str:
    """Return the notice framed for a terminal, with a plain frame where its encoding has no other."""
    lines = [
        line for paragraph in notice_text(policy).splitlines() for line in textwrap.wrap(paragraph, _WIDTH - 4) or [""]
    ]
    box = "\n".join(
        [
            f"╭{'─' * (_WIDTH - 2)}╮",
            *(f"│ {line:<{_WIDTH - 4}} │" for line in lines),
            f"╰{'─' * (_WIDTH - 2)}╯",
        ]
    )
    try:
        box.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return box.translate(_PLAIN)
    return box


def mismatch_line(environ: Mapping[str, str]) -> str | None:
    """Return a warning when the browser's half of the app anonymises otherwise than this half, else None."""
    name = f"NEXT_PUBLIC_{env.ANALYTICS_ANONYMIZE_USER_IDS}"
    ours, theirs = environ.get(env.ANALYTICS_ANONYMIZE_USER_IDS), environ.get(name)
    if ours is None or theirs is None or ours.strip().lower() == theirs.strip().lower():
        return None
    return f"{env.ANALYTICS_ANONYMIZE_USER_IDS} and {name} differ: users will not match across the two; set both alike"
