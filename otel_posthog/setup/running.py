"""What runs in this process."""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.pipeline import Pipeline
from otel_posthog.setup.settings import Settings


@dataclass(frozen=True, slots=True)
class Running:
    """What set-up made.

    Attributes:
        settings: What is in force.
        health: Counts what becomes of events.
        guard: Keeps errors of ours out of the host app.
        redactor: The operational side's filter.
        pipeline: None while nothing is collected.
        door: By which it was set up, in words.
    """

    settings: Settings
    health: Health
    guard: Guard
    redactor: Redactor
    pipeline: Pipeline | None
    door: str
