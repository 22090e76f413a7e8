"""Destinations: the PostHog projects that events go to."""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.sections.identity import IdentityMode


@dataclass(frozen=True, slots=True)
class Destination:
    """One PostHog project.

    Attributes:
        name: Unique within the policy.
        api_key: The project's key (`phc_...`); None where the environment gives it.
        host: Base URL of the ingestion host.
        identity: The identity mode of what is sent there; None takes the policy's.
    """

    name: str = "default"
    api_key: str | None = None
    host: str = "https://us.i.posthog.com"
    identity: IdentityMode | None = None
