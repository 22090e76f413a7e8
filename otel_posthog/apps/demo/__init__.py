"""`otel-posthog demo`: one app, two destinations, seen at work; the package's promises checked on real traffic."""
