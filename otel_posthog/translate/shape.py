"""What the keys of a signal alone decide of its event: which attribute is which property, which say who acts.

`shape_of` reads the name and the keys of a signal; `event_of` then makes the event of any signal of that shape, without
the properties and the telemetry, which the shape names. Together they are what `translate` makes, for the signals of
which it makes one product event. Run on the worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from otel_posthog.errors import DropEvent
from otel_posthog.feature_flags import FLAG_CALLED
from otel_posthog.model import NO_ATTRIBUTES, Attributes, Event, EventKind, Note, Signal
from otel_posthog.posthog.properties import LIBRARIES
from otel_posthog.recogniser import EXCEPTION_TYPE, PREFIX
from otel_posthog.translate.event import checked_name
from otel_posthog.translate.exceptions import EXCEPTION_NAMES, names_exception
from otel_posthog.translate.identifiers import event_uuid
from otel_posthog.translate.subject import IdKeys, id_keys, names_id, subject_in_context, subject_of, subject_of_ids
from otel_posthog.translate.times import event_time_ns
from otel_posthog.translate.vocabulary import (
    ALIAS_KEY,
    DESTINATIONS_KEY,
    IDS,
    Place,
    SortedAttributes,
    place_of,
    sort_attributes,
)

_NOT_BY_KEYS = frozenset({FLAG_CALLED, *(kind.value for kind in EventKind)})
# What they say makes another event of it, or has it go elsewhere.
_DECIDE_MORE = frozenset({EXCEPTION_TYPE, ALIAS_KEY, DESTINATIONS_KEY})
_NOTHING = SortedAttributes()
_ELSEWHERE = (Place.ID, Place.CHOICE)


class Shape(NamedTuple):
    """What the keys of a signal decide.

    Attributes:
        name: Of the event.
        properties: The attribute of the item that is each declared property, in the event's order.
        telemetry: Where each other attribute stands, in the event's order: 0 the resource, 1 the span, 2 the item.
        own: The attributes of the item that say who acts.
        span: Those of its span.
        ids: Those of `own` that are ids.
        has_ids_alone: Whether the item says nothing of who acts but ids of users, sessions, windows and journeys.
        is_said_by_ids: Whether, besides, neither its span nor its resource says anything of who acts.
        is_said_around: Whether neither the item nor its span nor its resource says who acts: the context alone does.
    """

    name: str
    properties: Mapping[str, str]
    telemetry: Mapping[str, int]
    own: tuple[str, ...]
    span: tuple[str, ...]
    ids: IdKeys
    has_ids_alone: bool
    is_said_by_ids: bool
    is_said_around: bool


def shape_of(signal: Signal) -> Shape | None:
    """Return the shape of `signal`; None where it is not one product event, or its keys do not decide what that has."""
    try:
        name = checked_name(signal.name)
    except DropEvent:
        return None
    if name in _NOT_BY_KEYS or name in EXCEPTION_NAMES or not _DECIDE_MORE.isdisjoint(signal.attributes):
        return None
    layers = (signal.resource, signal.parent, signal.attributes)
    if not all(type(key) is str for layer in layers for key in layer):
        return None
    telemetry = dict.fromkeys(signal.resource, 0)
    telemetry |= dict.fromkeys(_telemetry(signal.parent), 1)
    telemetry |= dict.fromkeys(_telemetry(signal.attributes), 2)
    properties: dict[str, str] = {}
    own: list[str] = []
    for key in signal.attributes:
        place, short = place_of(key)
        if place is Place.PROPERTY and short not in LIBRARIES:
            properties[short] = key
        elif place is Place.SHORT and short not in LIBRARIES:
            properties.setdefault(short, key)
        elif place is Place.GROUP_SET:
            return None
        elif place is not Place.TELEMETRY and place is not Place.NOWHERE:
            own.append(key)
    if names_exception(telemetry) or names_exception(properties):
        return None
    span = tuple(key for key in signal.parent if place_of(key)[0] is not Place.TELEMETRY)
    is_said_here = not span and not names_id(signal.resource)
    has_ids_alone = IDS.keys() >= {*own}
    return Shape(
        name,
        properties,
        telemetry,
        tuple(own),
        span,
        id_keys(own),
        has_ids_alone,
        is_said_by_ids=has_ids_alone and is_said_here,
        is_said_around=not own and is_said_here,
    )


def event_of(signal: Signal, shape: Shape, note: Note) -> Event:
    """Return the event of a signal of this shape, without properties and telemetry.

    Args:
        signal: The signal.
        shape: Its shape.
        note: As `translate` has it.

    Raises:
        DropEvent: `time_invalid`, when there is no time that can be meant.
    """
    time_ns = event_time_ns(signal, note)
    if shape.is_said_around:
        subject = subject_in_context(signal.context, note)
    elif shape.is_said_by_ids and signal.context is None:
        subject = subject_of_ids(signal.attributes, shape.ids, note)
    else:
        attributes = signal.attributes
        if shape.has_ids_alone:
            # To sort them takes twice as long.
            own = SortedAttributes(ids={key: attributes[key] for key in shape.own})
        else:
            own = _sorted(attributes, shape.own, note)
        span = _sorted(signal.parent, shape.span, note)
        subject = subject_of(signal, own, span, note)
    return Event(
        name=shape.name,
        uuid=event_uuid(signal, time_ns, note, subject.other_ids),
        time_ns=time_ns,
        properties=NO_ATTRIBUTES,
        telemetry=NO_ATTRIBUTES,
        subject=subject,
        trace_id=f"{signal.trace_id:032x}" if signal.trace_id else None,
        span_id=f"{signal.span_id:016x}" if signal.span_id else None,
        source=signal.source,
        is_sampled=signal.is_sampled,
    )


def _sorted(attributes: Attributes, keys: tuple[str, ...], note: Note) -> SortedAttributes:
    return sort_attributes({key: attributes[key] for key in keys}, note) if keys else _NOTHING


def _telemetry(attributes: Attributes) -> Iterator[str]:
    for key in attributes:
        place = place_of(key)[0]
        if place is Place.TELEMETRY or (place in _ELSEWHERE and not key.startswith(PREFIX)):
            yield key
