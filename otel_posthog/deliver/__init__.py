"""From clean events to PostHog: buffer, batch, send, retry."""

from otel_posthog.deliver.delivery import Delivery

__all__ = ["Delivery"]
