"""Standard OpenTelemetry in; product events to PostHog through privacy filters, the rest to OTLP, clean of each other.

Everything here is imported when it is first used: `import otel_posthog` alone costs next to nothing.

`opentelemetry-instrument pytest` has imported this before pytest comes to its plugins, of which our fixtures are one,
and with warnings as errors would end there, but for this: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_posthog.actor.context import set_user, user_context
    from otel_posthog.actor.request import set_user_source
    from otel_posthog.emit import alias, capture, group_identify, identify, set, set_once  # noqa: A004
    from otel_posthog.errors import ConfigurationError, PolicyError
    from otel_posthog.events import AnalyticsEvents, create_event_properties
    from otel_posthog.intake.sampler import AnalyticsSampler
    from otel_posthog.journeys import Journey, current_journey, journey
    from otel_posthog.policy.policy import Policy
    from otel_posthog.setup.components import (
        AnalyticsLogRecordProcessor,
        AnalyticsSpanProcessor,
        OperationalLogRecordExporter,
        OperationalMetricExporter,
        OperationalSpanExporter,
    )
    from otel_posthog.setup.configure import configure, replace_policy
    from otel_posthog.setup.control import flush, notice_text, set_collection, shutdown
    from otel_posthog.setup.exporters import PostHogLogRecordExporter, PostHogSpanExporter
    from otel_posthog.setup.zero_code import auto_configure

__all__ = [
    "AnalyticsEvents",
    "AnalyticsLogRecordProcessor",
    "AnalyticsSampler",
    "AnalyticsSpanProcessor",
    "ConfigurationError",
    "Journey",
    "OperationalLogRecordExporter",
    "OperationalMetricExporter",
    "OperationalSpanExporter",
    "Policy",
    "PolicyError",
    "PostHogLogRecordExporter",
    "PostHogSpanExporter",
    "alias",
    "auto_configure",
    "capture",
    "configure",
    "create_event_properties",
    "current_journey",
    "flush",
    "group_identify",
    "identify",
    "journey",
    "notice_text",
    "replace_policy",
    "set",
    "set_collection",
    "set_once",
    "set_user",
    "set_user_source",
    "shutdown",
    "user_context",
]

_HOMES = {
    "alias": "emit",
    "capture": "emit",
    "group_identify": "emit",
    "identify": "emit",
    "set": "emit",
    "set_once": "emit",
    "Journey": "journeys",
    "current_journey": "journeys",
    "journey": "journeys",
    "set_user": "actor.context",
    "set_user_source": "actor.request",
    "user_context": "actor.context",
    "AnalyticsEvents": "events",
    "create_event_properties": "events",
    "ConfigurationError": "errors",
    "PolicyError": "errors",
    "AnalyticsSampler": "intake.sampler",
    "Policy": "policy.policy",
    "auto_configure": "setup.zero_code",
    "PostHogLogRecordExporter": "setup.exporters",
    "PostHogSpanExporter": "setup.exporters",
    "configure": "setup.configure",
    "flush": "setup.control",
    "set_collection": "setup.control",
    "replace_policy": "setup.configure",
    "shutdown": "setup.control",
    "notice_text": "setup.control",
}


# Hidden from type checkers, which would take every name that there is not for an object.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'setup.components')}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
