"""The policy in force in this process: the built-in one until set-up activates another."""

from __future__ import annotations

from otel_posthog.policy.policy import Policy

_active = Policy()


def active() -> Policy:
    """Return the policy in force."""
    return _active


def activate(policy: Policy) -> None:
    """Put `policy` in force for the helpers that take none (`sanitize_properties`, `should_collect`)."""
    global _active
    _active = policy
