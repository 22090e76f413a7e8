"""Names and properties of what products commonly track; one file for each family of events."""

from otel_posthog.events.names import AnalyticsEvents
from otel_posthog.events.properties import create_event_properties

__all__ = ["AnalyticsEvents", "create_event_properties"]
