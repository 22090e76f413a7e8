"""`otel-posthog spool`: what waits on disk, and what to do with it."""
