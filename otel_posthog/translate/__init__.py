"""From telemetry to events in PostHog's terms."""

from otel_posthog.translate.event import translate
from otel_posthog.translate.exceptions import with_exception

__all__ = ["translate", "with_exception"]
