"""What an app may ask of the privacy stage directly, without a pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from otel_posthog.model import Receipt
from otel_posthog.policy import Policy, PrivacyPolicy, active, collection_choice, decide
from otel_posthog.privacy.filter import Filter


def should_collect() -> bool:
    """Return whether the policy in force, the environment and a choice made at run time allow collection at all."""
    return decide(active(), os.environ).enabled and not collection_choice(os.environ).is_off()


def sanitize_properties(properties: Mapping[str, object], policy: Policy | None = None) -> dict[str, object]:
    """Return what of `properties` may leave, JSON-safe.

    Args:
        properties: Event properties as an app would declare them.
        policy: The policy to apply; the one in force by default.
    """
    return sanitize_properties_with_receipt(properties, policy)[0]


def sanitize_properties_with_receipt(
    properties: Mapping[str, object], policy: Policy | None = None
) -> tuple[dict[str, object], Receipt]:
    """Return what of `properties` may leave, and which rule did what to which key (never a value).

    Args:
        properties: Event properties as an app would declare them.
        policy: The policy to apply; the one in force by default.
    """
    receipt = Receipt()
    return _filter((policy or active()).privacy).properties(properties, receipt), receipt


# A process has one policy, tests a handful; compiling one takes longer than filtering an event.
@lru_cache(maxsize=8)
def _filter(policy: PrivacyPolicy) -> Filter:
    return Filter(policy)
