"""What an event may say of an exception: its type, in-app frames in error tracking, never a message or a stack.

`with_exception` adds PostHog's `$exception` event where a signal records an exception. Its shape and order (the one
that was caught first, what it was raised from after it) are posthog-python's (`posthog/exception_utils.py`). PostHog
groups by type and frames, or by type and message where there are no frames: the message is always empty, so that those
of one type are one issue. `without_exception_texts` leaves out messages and stacks, which quote the data that a program
failed on, before any policy is asked. Both run on the worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from otel_posthog.model import EXCEPTION_EVENT, NO_ATTRIBUTES, Event, EventKind, Note, Signal
from otel_posthog.policy import ExceptionMode
from otel_posthog.recogniser import EXCEPTION, EXCEPTION_TYPE
from otel_posthog.translate.identifiers import derived_uuid
from otel_posthog.translate.in_app_frames import Frame, Raised, in_app_frame, known_type, parse_traceback

_ESCAPED, _STACKTRACE, _MESSAGE = "exception.escaped", "exception.stacktrace", "exception.message"
_YES = (True, "True", "true")  # the SDK writes the second, the conventions say the first
# For a type that neither the telemetry nor this process knows.
_UNKNOWN = "Exception"

EXCEPTION_NAMES = frozenset({EXCEPTION, EXCEPTION_EVENT})
"""What an event is called that is an exception."""

# From every event; OpenTelemetry's names (https://opentelemetry.io/docs/specs/semconv/registry/attributes/exception/).
_TEXTS = frozenset({"exception.message", "exception.stacktrace"})
# From an event that is an exception; the names that people give them.
_TEXTS_OF_AN_EXCEPTION = frozenset({"message", "stack", "stacktrace", "stack_trace", "traceback", "description"})
_LOOKED_FOR = EXCEPTION_NAMES | _TEXTS


def with_exception(events: tuple[Event, ...], signal: Signal, mode: ExceptionMode) -> tuple[Event, ...]:
    """Return `events` with that of the exception which `signal` records among them, if it records one.

    Args:
        events: What the signal stands for; the first is the item itself.
        signal: The signal.
        mode: How much of an exception is sent.
    """
    given = signal.attributes.get(EXCEPTION_TYPE)
    is_exception = bool(events) and events[0].name == EXCEPTION_EVENT
    if given is None and not is_exception:
        return events
    if mode is ExceptionMode.OFF or not events or "$exception_list" in events[0].properties:
        return events
    item = events[0]
    made = item._replace(
        name=EXCEPTION_EVENT,
        properties={
            **(item.properties if is_exception else NO_ATTRIBUTES),
            "$exception_list": _exception_list(signal, mode),
            "$exception_level": "error",
        },
        subject=item.subject._replace(person_set={}, person_set_once={}),
        kind=EventKind.PRODUCT,
        group=None,
    )
    if is_exception:
        return (made, *events[1:])
    return (*events, made._replace(uuid=derived_uuid(item.uuid, EXCEPTION_EVENT)))


def without_exception_texts(name: str, properties: dict[str, object], note: Note) -> dict[str, object]:
    """Return `properties` without the message and stack of an exception.

    Args:
        name: The event's name.
        properties: Declared properties, or telemetry.
        note: Called with `exception_text` for each that was left out.
    """
    if name not in EXCEPTION_NAMES and properties.keys().isdisjoint(_LOOKED_FOR):
        return properties  # nearly all of them
    forbidden = _TEXTS | _TEXTS_OF_AN_EXCEPTION if name in EXCEPTION_NAMES else _TEXTS
    kept: dict[str, object] = {}
    for key, value in properties.items():
        if key in forbidden:
            note("exception_text")
        elif key in EXCEPTION_NAMES and isinstance(value, Mapping):
            kept[key] = _type_only(value, note)
        else:
            kept[key] = value
    return kept


def names_exception(keys: Iterable[str]) -> bool:
    """Return whether any of these properties or attributes is, or is a part of, an exception."""
    return any(key in _LOOKED_FOR or key.startswith("$exception") for key in keys)


def _exception_list(signal: Signal, mode: ExceptionMode) -> list[dict[str, object]]:
    attributes = signal.attributes
    given = attributes.get(EXCEPTION_TYPE)
    module, name = _split(given if isinstance(given, str) and given else _UNKNOWN)
    mechanism: dict[str, object] = {"type": "generic", "synthetic": False, "exception_id": 0}
    if attributes.get(_ESCAPED) in _YES:
        mechanism["handled"] = False
    text, message = attributes.get(_STACKTRACE), attributes.get(_MESSAGE)
    if mode is not ExceptionMode.FRAMES or not isinstance(text, str):
        return [_entry(module, name, mechanism, ())]
    chain = parse_traceback(text, message if isinstance(message, str) else "")
    caught, *causes = chain or [Raised("", (), "")]
    entries = [_entry(module, name, mechanism, _in_app_frames(caught))]
    # How an exception relates to the one before it stands in the text between them.
    relation = caught.raised_from
    for number, cause in enumerate(causes, start=1):
        link = {"type": "chained", "exception_id": number, "parent_id": number - 1, "source": relation}
        entries.append(_entry(*_split(known_type(cause.type) or _UNKNOWN), link, _in_app_frames(cause)))
        relation = cause.raised_from
    return entries


def _in_app_frames(raised: Raised) -> tuple[Frame, ...]:
    found = (in_app_frame(*each) for each in raised.frames)
    return tuple(frame for frame in found if frame is not None)


def _entry(
    module: str | None, name: str, mechanism: Mapping[str, object], frames: tuple[Frame, ...]
) -> dict[str, object]:
    entry: dict[str, object] = {"type": name, "value": "", "mechanism": dict(mechanism)}
    if module:
        entry["module"] = module
    if frames:
        entry["stacktrace"] = {"type": "raw", "frames": [_wire(frame) for frame in frames]}
    return entry


def _wire(frame: Frame) -> dict[str, object]:
    return {
        "platform": "python",
        "filename": frame.filename,
        "function": frame.function,
        "module": frame.module,
        "lineno": frame.lineno,
        "in_app": True,
    }


def _split(qualified: str) -> tuple[str | None, str]:
    """Return module and name; a class in a class begins, by custom, with the first capital letter."""
    parts = qualified.split(".")
    start = next((at for at, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    return ".".join(parts[:start]) or None, ".".join(parts[start:])


def _type_only(exception: Mapping[object, object], note: Note) -> dict[str, object]:
    """Return of an exception that is one nested value its type."""
    if len(exception) > ("type" in exception):
        note("exception_text")
    return {"type": exception["type"]} if "type" in exception else {}
