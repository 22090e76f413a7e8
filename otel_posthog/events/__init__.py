"""Names and properties of what products commonly track; `usual.py` has them, the rest is made of it."""

from otel_posthog.events.typed import AnalyticsEvents, create_event_properties

__all__ = ["AnalyticsEvents", "create_event_properties"]
