"""What an app sends with posthog-python, as OpenTelemetry events on this pipeline.

The instrumentor `posthog_python` takes what a client of posthog-python would send, and hands it over here.
"""

from otel_posthog.bridge.client import deliver, flush, flush_call, is_asked_for

__all__ = ["deliver", "flush", "flush_call", "is_asked_for"]
