"""From clean events to PostHog: buffer, batch, send, retry."""

from otel_posthog.deliver.delivery import Delivery
from otel_posthog.deliver.preview import Console, Preview
from otel_posthog.deliver.spool.adoption import drop
from otel_posthog.deliver.spool.folder import SpoolRoot, spool_root
from otel_posthog.posthog.requests import ingestion_url, is_app

__all__ = ["Console", "Delivery", "Preview", "SpoolRoot", "drop", "ingestion_url", "is_app", "spool_root"]
