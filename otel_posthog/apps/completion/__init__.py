"""`otel-posthog completion`: has a shell complete the command line."""
