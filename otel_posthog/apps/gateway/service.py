"""What both doors of a worker work with."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from otel_posthog.apps.gateway.options import Options
from otel_posthog.apps.gateway.receiver import Receiver, Taken
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.apps.gateway.telemetry import Telemetry
from otel_posthog.apps.gateway.tokens import Tokens
from otel_posthog.errors import Guard, MalformedTelemetry

RETRY_AFTER_S = 5
"""After how many seconds senders are to come again: a spool that is full empties at the pace of PostHog."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a worker is made of.

    Attributes:
        options: The command line's.
        tokens: Who may send.
        receiver: Takes the requests.
        telemetry: Gets what happened.
        guard: Counts errors of ours.
        executor: One thread, which does the work.
    """

    options: Options
    tokens: Tokens
    receiver: Receiver
    telemetry: Telemetry
    guard: Guard
    executor: Executor

    def settle(self, taken: Taken) -> None:
        """Count what became of a request.

        Raises:
            Refusal: Its events are not on disk; the sender is to come again.
        """
        self.telemetry.taken(taken)
        if not taken.is_kept:
            raise Refusal(503, "the events cannot be kept now", retry_after_s=RETRY_AFTER_S)

    def failed(self, error: Exception) -> Refusal:
        """Return what a request is answered that failed by a fault of ours, which is counted."""
        self.guard.caught("gateway", error)
        return Refusal(503, "an error of the gateway's own", retry_after_s=RETRY_AFTER_S)


def readable(take: Callable[[], Taken]) -> Taken:
    """Return what `take` does.

    Raises:
        Refusal: It is a request that cannot be read at all.
    """
    try:
        return take()
    except MalformedTelemetry as error:
        raise Refusal(400, str(error)) from None
