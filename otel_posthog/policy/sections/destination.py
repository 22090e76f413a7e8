"""Destinations: the PostHog projects that events go to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otel_posthog.policy.sections.identity import IdentityMode


class CaptureMode(str, Enum):
    """PostHog's wire format: `v1` is Capture V1, `v0` the older `/batch/`, `auto` V1 where the server has it."""

    AUTO = "auto"
    V1 = "v1"
    V0 = "v0"


@dataclass(frozen=True, slots=True)
class Destination:
    """One PostHog project.

    Attributes:
        name: Unique within the policy.
        api_key: The project's key (`phc_...`); None where the environment gives it.
        host: Base URL of the ingestion host.
        identity: The identity mode of what is sent there; None takes the policy's.
        capture_mode: Which wire format the server gets.
    """

    name: str = "default"
    api_key: str | None = None
    host: str = "https://us.i.posthog.com"
    identity: IdentityMode | None = None
    capture_mode: CaptureMode = CaptureMode.AUTO
