"""From clean events to PostHog: buffer, batch, send, retry."""

from otel_posthog.deliver.delivery import Delivery
from otel_posthog.deliver.preview import Preview

__all__ = ["Delivery", "Preview"]
