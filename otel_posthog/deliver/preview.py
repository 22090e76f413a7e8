"""The last stage of a preview: everything is counted, nothing is kept, nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from otel_posthog import health as outcome
from otel_posthog.deliver.delivery import Delivery
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import Policy


class Preview(Delivery):
    """A delivery without senders: no store, no thread, no connection.

    Args:
        policy: How to deliver; its destinations are left out.
        health: Counts the events as `previewed`, by destination.
        guard: Keeps errors of ours out of the host app.
    """

    def __init__(self, policy: Policy, health: Health, guard: Guard) -> None:
        super().__init__(replace(policy, destinations=()), health, guard)

    def extend(self, policy: Policy) -> None:
        """Make no sender for a further destination either."""

    def accept(self, events: Sequence[CleanEvent]) -> bool:
        """Count `events`; nothing of them has to be kept."""
        self.submit(*events)
        return True

    def submit(self, *events: CleanEvent) -> None:
        """Count `events`."""
        for event in events:
            self._health.count(outcome.PREVIEWED, event.destination)
