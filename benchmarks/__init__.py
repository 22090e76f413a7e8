"""Benchmarks: what otel-posthog costs the app that it runs in, always as a comparison within one run."""
