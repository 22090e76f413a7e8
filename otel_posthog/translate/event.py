"""Signals in, events in PostHog's terms out.

Comes in: a `Signal` with all its attributes. Goes out: the `Event`s it stands for, unfiltered. Runs on the worker, or
on an application thread when the worker's queue is full. It invents nothing, reads no clock and no environment, so the
same telemetry gives the same events wherever and however often it is translated.
"""

from __future__ import annotations

from collections.abc import Iterable

from otel_posthog.errors import DropEvent
from otel_posthog.feature_flags import FEATURE, FLAG_CALLED, RESPONSE, evaluation_in
from otel_posthog.model import MAX_NAME_BYTES, NO_ATTRIBUTES, Attributes, Event, EventKind, Flag, Note, Signal, Subject
from otel_posthog.translate.changes import changes_of
from otel_posthog.translate.exceptions import without_exception_texts
from otel_posthog.translate.identifiers import derived_uuid, event_uuid
from otel_posthog.translate.subject import subject_of
from otel_posthog.translate.times import event_time_ns
from otel_posthog.translate.vocabulary import SortedAttributes, sort_attributes

_KINDS = {kind.value: kind for kind in EventKind if kind is not EventKind.PRODUCT}
# They change persons in ways that this vocabulary has no words for; `$unset` without its list does nothing.
_REFUSED_NAMES = frozenset({"$merge_dangerously", "$unset"})
# They carry properties of their own; what is left carries the change and nothing else, as posthog-python sends it.
_WITH_PROPERTIES = (EventKind.PRODUCT, EventKind.IDENTIFY, EventKind.SET, EventKind.SET_ONCE)
_NO_SPAN = SortedAttributes()


def translate(signal: Signal, note: Note) -> tuple[Event, ...]:
    """Return the events that `signal` stands for: its own, and those that change persons or groups.

    Args:
        signal: The signal.
        note: Called with a reason for every part that had to be left out (`timestamp_invalid`, ...).

    Raises:
        DropEvent: `name_invalid`, when the name is not 1-200 bytes of UTF-8; `name_reserved` for an event of PostHog's
            that no app may send; `time_invalid`, when there is no time that can be meant; `no_change`, when an item
            that should change a person or group says nothing that can be changed.
    """
    name = checked_name(signal.name)
    kind = _KINDS.get(name, EventKind.PRODUCT)
    time_ns = event_time_ns(signal, note)
    if signal.dropped_attributes:
        note("attributes_limit")
    own = sort_attributes(signal.attributes, note)
    span = sort_attributes(signal.parent, note) if signal.parent else _NO_SPAN
    subject = subject_of(signal, own, span, note)
    changes = changes_of(kind, subject, own, note)
    if not changes:
        raise DropEvent("no_change")
    # A span event happens inside its span: the route and status of the request are the span's to tell.
    telemetry = without_exception_texts(name, {**signal.resource, **span.telemetry, **own.telemetry}, _silent)
    properties = without_exception_texts(name, own.properties, note)
    if name == FLAG_CALLED:
        properties = _of_flag(properties, signal.attributes)
    elif signal.flags and kind is EventKind.PRODUCT:
        properties = {**_features(signal.flags, subject), **properties}
    item_uuid = event_uuid(signal, time_ns, note, subject.other_ids)
    return tuple(
        [
            Event(
                name=name if each is EventKind.PRODUCT else each.value,
                uuid=item_uuid if number == 0 else derived_uuid(item_uuid, each.value, group.type if group else ""),
                time_ns=time_ns,
                properties=properties if each is kind and each in _WITH_PROPERTIES else {},
                telemetry=telemetry if each is EventKind.PRODUCT else {},
                subject=_subject_of_change(each, subject),
                trace_id=f"{signal.trace_id:032x}" if signal.trace_id else None,
                span_id=f"{signal.span_id:016x}" if signal.span_id else None,
                source=signal.source,
                kind=each,
                group=group,
                is_sampled=signal.is_sampled,
            )
            for number, (each, group) in enumerate(changes)
        ]
    )


def _features(flags: Iterable[Flag], subject: Subject) -> dict[str, object]:
    """Return what flags had said, but for what they said to somebody else."""
    user_id = subject.user_id
    return {
        f"{FEATURE}{each.key}": each.response
        for each in flags
        if user_id is None or each.user_id is None or each.user_id == user_id
    }


def _of_flag(properties: dict[str, object], attributes: Attributes) -> dict[str, object]:
    """Return the properties of the call of a feature flag as PostHog's libraries send them."""
    evaluation = evaluation_in(attributes)
    if evaluation is None:
        return properties  # the app's own event
    return {**{key: value for key, value in properties.items() if key != RESPONSE}, **evaluation.properties()}


def _subject_of_change(kind: EventKind, subject: Subject) -> Subject:
    """Return the subject without the person's properties where an event of this kind carries none."""
    if kind in _WITH_PROPERTIES:
        return subject
    return subject._replace(person_set=NO_ATTRIBUTES, person_set_once=NO_ATTRIBUTES)


def checked_name(name: str) -> str:
    """Return the name of an event.

    Raises:
        DropEvent: As `translate`.
    """
    if not 1 <= len(name.strip().encode("utf-8", "replace")) <= MAX_NAME_BYTES:
        raise DropEvent("name_invalid")
    if name.strip() in _REFUSED_NAMES:
        raise DropEvent("name_reserved")
    return name.strip()


def _silent(_: str) -> None:
    """Count nothing: the app loses nothing by it, as telemetry is sent only where a policy names it."""
