"""What users are told: the line that each start logs, and the notice of the first start."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from otel_posthog import environment_variables as env
from otel_posthog.policy import (
    Collection,
    HitMethod,
    IdentityMode,
    InstallationRotation,
    Method,
    Policy,
    PrivacyPolicy,
)
from otel_posthog.policy.collection import FALSE_WORDS, TRUE_WORDS

_WIDTH = 76
_PLAIN = str.maketrans("╭╮╰╯─│", "++++-|")


# Of several modes, users are told about the one that reveals the most.
_WHO = {
    IdentityMode.UNLINKED: (
        "Each event has an id of its own, and nothing in it says which events come from the same user or the same "
        "installation: no user ids, no sessions, no address of the sender."
    ),
    IdentityMode.INSTALLATION: (
        "Every event carries {installation}: no user ids, no sessions, no address of the sender."
    ),
    IdentityMode.DAILY: (
        "Users are counted under ids that change every day and cannot be traced back once the day is over: no user "
        "ids, no sessions, no address of the sender. What nobody in particular does carries {installation}."
    ),
    IdentityMode.PSEUDONYMOUS: (
        "Events carry pseudonyms in place of the ids of users, sessions and groups, so that the operator can follow "
        "how features are used; no address of the sender. What nobody in particular does carries {installation}."
    ),
    IdentityMode.IDENTIFIED: (
        "Events carry the ids of users, sessions and groups as they are, so that the operator can follow how features "
        "are used; no address of the sender. What nobody in particular does carries {installation}."
    ),
}
_CHANGES = {
    InstallationRotation.NEVER: "stays the same",
    InstallationRotation.YEARLY: "changes every year",
    InstallationRotation.MONTHLY: "changes every month",
    InstallationRotation.WEEKLY: "changes every week",
}
# In the order of the sentence: what is recognised as one of these.
_RECOGNISED = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "card": "a card number",
    "iban": "a bank account",
    "ip": "a public IP address",
    "secret": "a key",
}
START = "Usage statistics"
"""How the line of each start begins."""
# Words of keys under which a value goes whole.
_PASSWORDS = ("password", "a password")


def start_line(policy: Policy, collection: Collection) -> str:
    """Return the one line that each start logs."""
    if not collection.enabled:
        return f"{START} disabled by {collection.reason}"
    if collection.is_preview:
        word, does = ("console", "printed") if collection.is_shown else ("preview", "counted")
        return f"{START} in preview by {env.OTEL_POSTHOG_ENABLED}={word}: events are {does}, none is sent"
    return f"{START} enabled (user IDs {_kept(policy)})"


def off_switch(policy: Policy) -> str:
    """Return the switch that a person would use: the app's own alias if it has one."""
    return next(iter(policy.collection.off_switches), env.USAGE_STATS)


def notice_text(policy: Policy) -> str:
    """Return what a user is told about usage statistics, as plain text for a terminal or a user interface.

    It describes what is sent to the destinations that have a key; where there is none, what would be sent.
    """
    receiving = [each for each in policy.destinations if each.api_key]
    told = receiving or policy.destinations
    sends = "This application sends usage statistics to improve it."
    if not receiving:
        sends = "This application can send usage statistics to improve it; as it is set up, it sends none."
    modes = {policy.identity_of(each) for each in told}
    installation = f"an id that stands for this installation and {_CHANGES[policy.installation_rotation]}"
    who = next(_WHO[mode] for mode in reversed(IdentityMode) if mode in modes).format(installation=installation)
    about = " ".join(filter(None, (sends, who, _removed([policy.privacy_of(each) for each in told]))))
    return f"{about}\n\nTo switch this off, set {off_switch(policy)}=false."


def _removed(policies: Sequence[PrivacyPolicy]) -> str:
    """Return the sentence on what never leaves: what each of `policies` takes out wherever it is recognised."""
    kinds = [words for name, words in _RECOGNISED.items() if all(_takes_out(name, each) for each in policies)]
    key, words = _PASSWORDS
    if all(key in each.sensitive_keys and not _keeps_key(key, each) for each in policies):
        kinds.append(words)
    if not kinds:
        return ""
    listed = f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]
    return f"What is recognised as {listed} is removed before anything is sent."


def _takes_out(detector: str, policy: PrivacyPolicy) -> bool:
    """Return whether a hit of `detector` never stays, not even a part of it, under whatever key."""
    if policy.detectors.get(detector, HitMethod.OFF) in {HitMethod.OFF, HitMethod.IP_PREFIX}:
        return False
    partly = {Method.KEEP, Method.IP_PREFIX}
    return not any(rule.detector == detector and rule.method in partly for rule in policy.rules)


def _keeps_key(key: str, policy: PrivacyPolicy) -> bool:
    """Return whether a rule lets the value of `key` pass, or a part of it."""
    gone = {Method.DROP, Method.REPLACE, Method.HMAC}
    for rule in policy.rules:
        if rule.detector is None and (key in rule.words or any(fnmatchcase(key, each) for each in rule.keys)):
            return rule.method not in gone and not (rule.method is Method.MASK and not rule.keep_last)
    return False


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


def mismatch_line(policy: Policy, environ: Mapping[str, str]) -> str | None:
    """Return a warning when the browser's half of the app anonymises otherwise than this half, else None.

    Args:
        policy: In force here, whatever has decided on its identity mode.
        environ: May have the browser's half in it, alone or with this half's own variable.
    """
    name = f"NEXT_PUBLIC_{env.ANALYTICS_ANONYMIZE_USER_IDS}"
    word = environ.get(name, "").strip().lower()
    if not word:
        return None
    if word not in TRUE_WORDS | FALSE_WORDS:
        return f"{name} must be true or false: nobody knows what the browser's half does with user ids"
    here, there = _kept(policy), "anonymized" if word in TRUE_WORDS else "preserved"
    if here == there:
        return None
    both = f"{env.ANALYTICS_ANONYMIZE_USER_IDS} and {name} differ"
    return f"{both}: user ids are {here} here and {there} in the browser, so that no user matches; set both alike"


def _kept(policy: Policy) -> str:
    """Return what becomes of user ids at one destination or the other: `preserved` or `anonymized`."""
    modes = {policy.identity_of(each) for each in policy.destinations if each.api_key}
    return "preserved" if IdentityMode.IDENTIFIED in modes else "anonymized"
