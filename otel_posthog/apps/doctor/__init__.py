"""`otel-posthog doctor`: what a process with this environment would do, and what is wrong with it."""
