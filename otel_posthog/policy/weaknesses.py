"""Where a policy takes off less than the one built in: allowed, and told to whoever checks it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from otel_posthog.policy.defaults import (
    ALLOWED_TELEMETRY_KEYS,
    DETECTORS,
    ID_KEYS,
    SENSITIVE_KEYS,
    USER_KEY_PREFIXES,
    USER_KEYS,
)
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.sections.privacy import HitMethod, Method, PrivacyPolicy

_SHOWN = 3


def weaknesses(policy: Policy) -> Iterator[str]:
    """Yield in a sentence each what `policy` lets through that the built-in one does not."""
    yield from _of(policy.privacy)
    for each in policy.destinations:
        if each.privacy is not None and each.privacy != policy.privacy:
            known = set(_of(policy.privacy))
            yield from (f"{said} (destination {each.name})" for said in _of(each.privacy) if said not in known)
    missing = USER_KEYS - policy.operational.user_keys
    if missing:
        yield f"`operational.user_keys` is without {_listed(missing)}; `also_user_keys` adds to it"
    if not policy.operational.redact:
        yield "`operational.redact: false`: spans, logs and metrics go on as they are, but for product data"
    if policy.trace_url and urlsplit(policy.trace_url).username is not None:
        yield "`trace_url` has a user in it, who goes to PostHog with every event"


def _of(privacy: PrivacyPolicy) -> Iterator[str]:
    for name, built_in in (("sensitive_keys", SENSITIVE_KEYS), ("id_keys", ID_KEYS)):
        missing = built_in - getattr(privacy, name)
        if missing:
            yield f"`privacy.{name}` is without {_listed(missing)}; `also_{name}` adds to it"
    off = {name for name in DETECTORS if privacy.detectors.get(name, HitMethod.OFF) is HitMethod.OFF}
    if off:
        yield f"the detectors {_listed(off)} are off"
    further = privacy.allow - ALLOWED_TELEMETRY_KEYS
    users = {key for key in further if key in USER_KEYS or key.startswith(USER_KEY_PREFIXES)}
    if users:
        yield f"`privacy.allow` lets out {_listed(users)}, by which telemetry names a user"
    for rule in privacy.rules:
        if rule.method is Method.KEEP and (_is_all(rule.keys) or not (rule.keys or rule.words)):
            what = "everything" if rule.detector is None else f"whatever the detector {rule.detector} finds"
            yield f"the rule `{rule.name}` keeps {what} under every key"


def _is_all(keys: tuple[str, ...]) -> bool:
    return any(not key.strip("*") for key in keys)


def _listed(names: frozenset[str] | set[str]) -> str:
    shown = sorted(names)[:_SHOWN]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(f"`{each}`" for each in shown) + more
