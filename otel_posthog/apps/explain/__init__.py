"""`otel-posthog explain`: events in a file, before and after, with the reason for every difference."""
