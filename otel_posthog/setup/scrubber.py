"""The detectors of the operational side, made by the first exporter that has something to export.

Runs on exporters' threads. Where they cannot be made, every value is replaced whole, as `Redactor` has it.
"""

from __future__ import annotations

from typing import Any, cast

from otel_posthog.health import Health
from otel_posthog.later import Later
from otel_posthog.model import Scrubber
from otel_posthog.policy import PrivacyPolicy


class _Late:
    """A scrubber of which each method becomes the real one's with its first use."""

    def __init__(self, policy: PrivacyPolicy, health: Health) -> None:
        def make() -> Scrubber:
            from otel_posthog.privacy.filter import Filter  # noqa: PLC0415 - a start does without the detectors

            return Filter(policy, note=health.count_actions)

        self._real = Later(make)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._real.get(), name)
        setattr(self, name, method)
        return method


def late_scrubber(policy: PrivacyPolicy, health: Health) -> Scrubber:
    """Return the filter of `policy` for the operational side, made when it is first used.

    Args:
        policy: What the detectors do there.
        health: Counts it.
    """
    return cast("Scrubber", _Late(policy, health))
