"""Programs on top of the package: what the command `otel-posthog` runs."""
