"""Names and properties of what products commonly track: in `usual.py` and `services.py`, of which the rest is made."""

from otel_posthog.events.typed import AnalyticsEvents, create_event_properties

__all__ = ["AnalyticsEvents", "create_event_properties"]
