"""`otel-posthog derive`: which events a file of telemetry could become by rules, and the rules to write for it."""
