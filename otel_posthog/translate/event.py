"""Signals in, events in PostHog's terms out.

Comes in: a `Signal` with all its attributes. Goes out: the `Event`s it stands for, unfiltered. Runs on the worker, or
on an application thread when the hand-over queue is full. It invents nothing, reads no clock and no environment, so the
same telemetry gives the same events wherever and however often it is translated.
"""

from __future__ import annotations

from otel_posthog.errors import DropEvent
from otel_posthog.model import MAX_NAME_BYTES, NO_GROUPS, ContextIdentity, Event, Signal, Subject
from otel_posthog.translate.identifiers import Note, event_time_ns, event_uuid
from otel_posthog.translate.vocabulary import CONSENT_KEY, SESSION_ID_KEYS, USER_ID_KEYS, Sorted, first, read

_YES = frozenset({"true", "1", "yes", "on", "granted"})


def translate(signal: Signal, note: Note) -> tuple[Event, ...]:
    """Return the events that `signal` stands for.

    Args:
        signal: The signal.
        note: Told a reason for every part that had to be left out (`timestamp_invalid`, ...).

    Raises:
        DropEvent: `name_invalid`, when the name is not 1-200 bytes of UTF-8.
    """
    name = _checked_name(signal.name)
    time_ns = event_time_ns(signal, note)
    own = read(signal.attributes)
    # A span event happens inside its span: the route and status of the request are the span's to tell.
    inherited = read(signal.parent).telemetry if signal.parent else {}
    return (
        Event(
            name=name,
            uuid=event_uuid(signal, name, time_ns, note),
            time_ns=time_ns,
            properties=own.properties,
            telemetry={**signal.resource, **inherited, **own.telemetry},
            subject=_subject(signal, own),
            trace_id=f"{signal.trace_id:032x}" if signal.trace_id else None,
            span_id=f"{signal.span_id:016x}" if signal.span_id else None,
            source=signal.source,
        ),
    )


def _checked_name(name: str) -> str:
    if not 1 <= len(name.strip().encode("utf-8", "replace")) <= MAX_NAME_BYTES:
        raise DropEvent("name_invalid")
    return name.strip()


def _subject(signal: Signal, own: Sorted) -> Subject:
    """Return who the event is about: the item's own word first, then its span's, then the context's."""
    context = signal.context or ContextIdentity()
    layers = (signal.attributes, signal.parent)
    return Subject(
        user_id=first(USER_ID_KEYS, *layers) or context.user_id,
        session_id=first(SESSION_ID_KEYS, *layers) or context.session_id,
        groups={**context.groups, **read(signal.parent).groups, **own.groups} or NO_GROUPS,
        person_set=own.person_set,
        person_set_once=own.person_set_once,
        consent=_consent(signal, context),
        pseudonym=context.pseudonym,
    )


def _consent(signal: Signal, context: ContextIdentity) -> bool | None:
    """Return whether the user agreed; a denial anywhere wins, and what is not plainly a yes is a denial."""
    said = [context.consent]
    for layer in (signal.attributes, signal.parent):
        value = layer.get(CONSENT_KEY)
        if value is not None:
            said.append(value is True or (isinstance(value, str) and value.strip().lower() in _YES))
    if False in said:
        return False
    return True if True in said else None
