"""Product events in one line, as plain OpenTelemetry log-based events.

They are emitted through whatever logger provider the program has, and go nowhere where there is none. Nothing here
knows the pipeline: an event is recognised by its name and attributes, like one that an app emits itself.
"""

from otel_posthog.emit.api import alias, capture, group_identify, identify, set, set_once  # noqa: A004 - as posthog-python calls it

__all__ = ["alias", "capture", "group_identify", "identify", "set", "set_once"]
