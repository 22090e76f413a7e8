"""Destinations: the PostHog projects that events go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from otel_posthog.policy.sections.catalog import Catalog
from otel_posthog.policy.sections.identity import IdentityMode
from otel_posthog.policy.sections.privacy import PrivacyPolicy


class CaptureMode(str, Enum):
    """PostHog's wire format: `v1` is Capture V1, `v0` the older `/batch/`, `auto` V1 where the server has it."""

    AUTO = "auto"
    V1 = "v1"
    V0 = "v0"


@dataclass(frozen=True, slots=True)
class Destination:
    """One PostHog project; every event goes to each of them, cleaned for it by itself.

    Attributes:
        name: Unique within the policy.
        api_key: The project's key (`phc_...`); without one nothing is sent there. `POSTHOG_API_KEY` and `POSTHOG_HOST`
            are those of the first destination for which no key is named, else of the first.
        host: Base URL of the ingestion host.
        api_key_env: The name of an environment variable that holds the key instead.
        identity: The identity mode of what is sent there; that of the policy where not given.
        capture_mode: Which wire format the server gets.
        accept_any_2xx: Whether any 2xx counts as delivered, for a relay that does not hand PostHog's answer on. Else an
            answer that is not PostHog's means a wrong host: events wait.
        catalog: The catalog of what is sent there; that of the policy where not given.
        privacy: What is changed there of the policy's `privacy`.
    """

    name: str = "default"
    api_key: str | None = field(default=None, repr=False)
    host: str = "https://us.i.posthog.com"
    api_key_env: str | None = None
    identity: IdentityMode | None = None
    capture_mode: CaptureMode = CaptureMode.AUTO
    accept_any_2xx: bool = False
    catalog: Catalog | None = None
    privacy: PrivacyPolicy | None = None
