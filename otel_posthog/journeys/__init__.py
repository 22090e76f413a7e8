"""Journeys: a way through the product, as spans of one trace and as the events of one funnel.

Comes in: what an app says by `journey()`. Goes out: plain OpenTelemetry, spans for the journey and its steps that say
nothing of who goes it, and a log-based event wherever one begins, a step is done, or it ends. Nothing here knows the
pipeline, or keeps anything: a journey goes on in another request, process or week by an id that the app keeps.
"""

from otel_posthog.journeys.block import journey
from otel_posthog.journeys.steps import Journey, current_journey

__all__ = ["Journey", "current_journey", "journey"]
