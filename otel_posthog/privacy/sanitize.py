"""The privacy stage for an app's own use, without a pipeline: properties in, what of them may leave out.

Applies the policy in force, or a given one, and where asked the catalog of an event; a receipt tells which rule did
what. Pure, from any thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from otel_posthog.errors import DropEvent
from otel_posthog.model import Receipt
from otel_posthog.policy import HitMethod, Policy, PrivacyPolicy, active
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.policy import revision_of
from otel_posthog.policy.secrets import with_secrets
from otel_posthog.privacy.catalog import Declared
from otel_posthog.privacy.filter import Filter
from otel_posthog.regex import regex


def sanitize_properties(
    properties: Mapping[str, object], policy: Policy | None = None, *, event: str | None = None
) -> dict[str, object]:
    """Return what of `properties` may leave, JSON-safe.

    Args:
        properties: Event properties as an app would declare them.
        policy: The policy to apply; the one in force by default.
        event: The event's name: its catalog is applied as well, and an event that is not declared has no properties.

    Raises:
        ConfigurationError: `policy` names a key for the method `hmac` that cannot be had.
    """
    return sanitize_properties_with_receipt(properties, policy, event=event)[0]


def sanitize_properties_with_receipt(
    properties: Mapping[str, object], policy: Policy | None = None, *, event: str | None = None
) -> tuple[dict[str, object], Receipt]:
    """Return what of `properties` may leave, and which rule did what to which key (never a value).

    Args:
        properties: Event properties as an app would declare them.
        policy: The policy to apply; the one in force by default.
        event: As `sanitize_properties`.

    Raises:
        ConfigurationError: As `sanitize_properties`.
    """
    compiled = _compiled(policy or active())
    receipt = Receipt(policy=compiled.revision)
    if event is not None:
        try:
            compiled.catalog.check_name(event, receipt)
        except DropEvent:
            return {}, receipt
        properties = compiled.catalog.properties(event, properties, receipt)
    return compiled.filter.properties(properties, receipt), receipt


def without_secrets(text: str) -> str:
    """Return `text`, a setting that is to be shown, with the passwords and keys in it replaced.

    Args:
        text: A URL, for example; where it leads is no secret.
    """
    # In a text that is only a URL, credentials end at the last `@` of its authority, whatever they consist of.
    return _only_secrets().scrub_text(_CREDENTIALS.sub(r"\1[secret]@", text))


_CREDENTIALS = regex(r"\A([A-Za-z][\w+.-]*://)[^/?#]*@")


@lru_cache(maxsize=1)
def _only_secrets() -> Filter:
    detectors = FrozenMap(dict.fromkeys(("secret", "jwt"), HitMethod.REPLACE))
    return Filter(PrivacyPolicy(detectors=detectors))


@dataclass(frozen=True, slots=True)
class _Compiled:
    filter: Filter
    catalog: Declared
    revision: str


# A process has one policy, tests a handful; compiling one takes longer than filtering an event.
@lru_cache(maxsize=8)
def _compiled(policy: Policy) -> _Compiled:
    if policy.privacy.hmac_secret is None:
        policy = with_secrets(policy, os.environ)
    return _Compiled(
        Filter(policy.privacy.in_mode(policy.identity)), Declared(policy.catalog, log=None), revision_of(policy)
    )
