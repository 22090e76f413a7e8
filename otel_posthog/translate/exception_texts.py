"""Exceptions told of as ordinary attributes: their type may become a property, what they say never does.

Messages and stacks quote the data that a program failed on. They are left out before any policy is asked: under
OpenTelemetry's names (https://opentelemetry.io/docs/specs/semconv/registry/attributes/exception/) from every event,
and from an event that is an exception under the names that people give them. What error tracking gets is
`exceptions.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.model import EXCEPTION_EVENT
from otel_posthog.route import EXCEPTION
from otel_posthog.translate.note import Note

_NAMES = frozenset({EXCEPTION, EXCEPTION_EVENT})
_TEXTS = frozenset({"exception.message", "exception.stacktrace"})
_TEXTS_OF_AN_EXCEPTION = frozenset({"message", "stack", "stacktrace", "stack_trace", "traceback", "description"})
_LOOKED_FOR = _NAMES | _TEXTS


def without_exception_texts(name: str, properties: dict[str, object], note: Note) -> dict[str, object]:
    """Return `properties` without the message and stack of an exception.

    Args:
        name: The event's name.
        properties: Declared properties, or telemetry.
        note: Told `exception_text` for each that was left out.
    """
    if name not in _NAMES and properties.keys().isdisjoint(_LOOKED_FOR):
        return properties  # nearly all of them
    forbidden = _TEXTS | _TEXTS_OF_AN_EXCEPTION if name in _NAMES else _TEXTS
    kept: dict[str, object] = {}
    for key, value in properties.items():
        if key in forbidden:
            note("exception_text")
        elif key in _NAMES and isinstance(value, Mapping):
            kept[key] = _type_only(value, note)
        else:
            kept[key] = value
    return kept


def _type_only(exception: Mapping[object, object], note: Note) -> dict[str, object]:
    """Return of an exception that is one nested value its type."""
    if len(exception) > ("type" in exception):
        note("exception_text")
    return {"type": exception["type"]} if "type" in exception else {}
