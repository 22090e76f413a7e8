"""What both doors of a worker work with."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from otel_posthog.apps.gateway.options import Options
from otel_posthog.apps.gateway.receiver import Receiver
from otel_posthog.apps.gateway.telemetry import Telemetry
from otel_posthog.apps.gateway.tokens import Tokens
from otel_posthog.errors import Guard

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
