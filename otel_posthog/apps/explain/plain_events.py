"""An event as an app or a PostHog library would write it in, a signal as intake would have made of it out."""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.model import Signal, Source
from otel_posthog.recogniser import EVENT, PREFIX

BARE_NAME = "event"
"""The name under which bare properties are explained."""

# Where PostHog's own libraries put what OpenTelemetry has attributes for.
_TOP_LEVEL = {"distinct_id": "user.id", "uuid": "uuid", "timestamp": "timestamp", "session_id": "session.id"}
# Where they stand beside the properties they mean what they mean among them.
_BESIDE = ("$set", "$set_once", "$groups")


def signal_of(content: Mapping[str, object], time_ns: int) -> Signal:
    """Return the signal of an event (`{"event": ..., "properties": {...}}`), or of bare properties.

    Args:
        content: The event.
        time_ns: When it is taken to have happened unless it says so itself; Unix nanoseconds.
    """
    if EVENT in content:
        # Attributes, as an app sets them.
        return Signal(Source.LOG, str(content[EVENT]), dict(content), time_ns)
    name, properties = content.get("event"), content.get("properties")
    if not isinstance(name, str):
        return Signal(Source.LOG, BARE_NAME, _attributes({}, content), time_ns)
    given = properties if isinstance(properties, Mapping) else {}
    return Signal(Source.LOG, name, _attributes(content, given), time_ns)


def _attributes(event: Mapping[str, object], properties: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key in _BESIDE:
        if key in event:
            found[f"{PREFIX}property.{key}"] = event[key]
    for key, value in properties.items():
        found[f"{PREFIX}property.{key}"] = value
    for key, value in event.items():
        if key in _TOP_LEVEL:
            found[f"{PREFIX}{_TOP_LEVEL[key]}"] = value
    return found
