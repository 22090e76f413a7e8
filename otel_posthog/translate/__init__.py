"""From telemetry to events in PostHog's terms."""

from otel_posthog.translate.event import translate

__all__ = ["translate"]
