"""Plans: what the names in an event decide, kept for each shape of event, so that only its values are looked at again.

Events of one call site have the same keys. For the name and the keys of a signal a plan says, by destination, which
attribute becomes which property, in which order and how it is encoded. An event passes by its plan if each of its
values leaves as it is: a number that is no card, a text in which neither a detector nor an id is found. All others (a
hit, a cut, a key with a rule, a nested value, whatever no plan knows) go the plain way, `translate` and
`Cleaner.clean`, which decides everything. So a planned event is the plain one, byte for byte: the tests compare them.

Runs where `Stages` does, and is made for one policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import dropwhile
from typing import Any, NamedTuple

from otel_posthog.clean import Cleaner, Planned
from otel_posthog.errors import DropEvent
from otel_posthog.model import Attributes, Event, Signal
from otel_posthog.policy import Destination, PropertySpec
from otel_posthog.posthog.encoding import as_json_text, is_added
from otel_posthog.privacy import Filter
from otel_posthog.privacy.catalog import problem_of
from otel_posthog.privacy.routes import TEMPLATE_KEYS
from otel_posthog.privacy.rules import Key
from otel_posthog.privacy.walk import is_card_number
from otel_posthog.translate.shape import Shape, event_of, shape_of

MAX_PLANS = 512
"""Shapes of events that are remembered; a program has a few dozen. When there are more, all are forgotten."""

MAX_TEXTS, MAX_TEXT_CHARS = 8192, 128
"""Texts that are remembered, of all keys together, as they leave: 3 MB at most."""

# Every whole number below it is no card's, which has 13 digits or more.
_NO_CARD = 10**12
_MAX_INT_BITS = 64
_RESOURCES_KEPT = 16  # a process has one for each of its providers

_Known = dict[str, str]
# The layer and the key of an attribute, how its property begins in JSON, texts under its key that leave as they are
# with what they are in JSON, the reading of its key, and what the catalog declares of it.
_Entry = tuple[int, str, str, _Known, Key, "PropertySpec | None"]


class _Looked(NamedTuple):
    """What some attributes of a signal are in its event, each of which leaves as it is.

    Attributes:
        of: The attributes of its resource.
        pieces: The properties, in JSON.
        texts: Their values that are texts, in one.
        numbers: Those that are numbers.
        news: Texts under a key that were not remembered yet, as they are in JSON.
    """

    of: Attributes
    pieces: str
    texts: str
    numbers: list[float]
    news: list[tuple[_Known, str, str]]


class _Plan(NamedTuple):
    """What the shape of a signal decides for one destination.

    Attributes:
        destination: Where to.
        filter: What may leave towards it.
        first: The properties that the event begins with, those of the resource.
        entries: All others, in the event's order.
        names: The name of the event and those of its properties, in one text.
        name: Of the event as it is sent, in JSON.
        last: One item, what the last event had for `first`: all of a process, or of a request, have one resource.
    """

    destination: Destination
    filter: Filter
    first: tuple[_Entry, ...]
    entries: tuple[_Entry, ...]
    names: str
    name: str
    last: list[_Looked | None]


class _Plans(NamedTuple):
    """What the shape of a signal decides.

    Attributes:
        shape: The shape.
        templates: The layer and the key of each route, whose parts may say what a path has.
        of: By destination.
    """

    shape: Shape
    templates: tuple[tuple[int, str], ...]
    of: tuple[_Plan, ...]


class Plans:
    """The plans of one policy; safe to share between threads.

    Args:
        cleaner: Whose events the planned ones are like.
        destinations: Those to clean for.
        note: Told what of a signal could not be taken as it was given.
    """

    def __init__(self, cleaner: Cleaner, destinations: Sequence[Destination], note: Callable[[str], None]) -> None:
        self._cleaner, self._destinations, self._note = cleaner, tuple(destinations), note
        self._plans: dict[object, _Plans | None] = {}
        # By filter: what is harmless under a key here may not be so there.
        self._known: dict[tuple[Filter, str], _Known] = {}
        self._texts = 0
        self._seen: set[int] = set()
        # The SDK's own mapping takes a call in Python for each key; that of a process is one object.
        self._resources: dict[int, tuple[Attributes, dict[str, object]]] = {}

    def planned(self, signal: Signal) -> list[Planned] | None:
        """Return `signal` as it is sent to each destination, but for who acts; None for one that goes the plain way."""
        resource = signal.resource if type(signal.resource) is dict else self._plain(signal.resource)
        plans = self._of(signal, resource)
        if plans is None or signal.dropped_attributes or signal.flags:
            return None
        of, notes = (resource, signal.parent, signal.attributes), list[str]()
        for layer, key in plans.templates:
            for plan in plans.of:
                if plan.filter.cleans_paths(of[layer][key]):
                    return None
        try:
            event = event_of(signal, plans.shape, notes.append)
        except DropEvent:
            return None
        made: list[Planned] = []
        for plan in plans.of:
            planned = self._planned(plan, event, of)
            if planned is None:
                return None
            made.append(planned)
        for each in notes:
            self._note(each)
        return made

    def _planned(self, plan: _Plan, event: Event, of: Sequence[Mapping[str, Any]]) -> Planned | None:
        """Return `event` as it is sent to one destination; None where a value does not leave as it is."""
        first = plan.last[0]
        is_new = first is None or first.of is not of[0]
        if is_new:
            first = _looked(plan.filter, plan.first, of)
        rest = None if first is None else _looked(plan.filter, plan.entries, of)
        if first is None or rest is None:
            return None
        joint = "," if first.pieces and rest.pieces else ""
        pieces = f"{first.pieces}{joint}{rest.pieces}"
        planned = self._cleaner.planned(event, plan.destination, plan.name, pieces)
        if planned.may_hold_id(f"{plan.names}\n{first.texts}\n{rest.texts}", first.numbers + rest.numbers):
            return None
        # Only now: what holds somebody's id is not to stay in memory.
        for known, text, piece in rest.news:
            self._remember(known, text, piece)
        if is_new:
            for known, text, piece in first.news:
                self._remember(known, text, piece)
            plan.last[0] = first
        return planned

    def _remember(self, known: _Known, text: str, piece: str) -> None:
        if len(text) <= MAX_TEXT_CHARS:
            if self._texts >= MAX_TEXTS:
                self._texts = 0
                for each in list(self._known.values()):
                    each.clear()
            self._texts += 1
            known[text] = piece

    def _plain(self, resource: Attributes) -> Attributes:
        """Return the attributes of a resource, which never change, as a plain dictionary."""
        found = self._resources.get(id(resource))
        if found is None or found[0] is not resource:
            if len(self._resources) >= _RESOURCES_KEPT:
                self._resources.clear()
            found = self._resources[id(resource)] = (resource, dict(resource))
        return found[1]

    def _of(self, signal: Signal, resource: Attributes) -> _Plans | None:
        """Return the plans of a signal's shape, from the second signal of it on."""
        shape = (signal.name, tuple(signal.attributes), tuple(signal.parent), tuple(resource))
        try:
            return self._plans[shape]
        except KeyError:
            pass
        # A key that is new in every event would have every event bring a plan that no other needs.
        sighted = hash(shape)
        if sighted not in self._seen:
            if len(self._seen) >= MAX_PLANS:
                self._seen.clear()
            self._seen.add(sighted)
            return None
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
            self._known.clear()
            self._texts = 0
        made = self._plans[shape] = self._made(signal)
        return made

    def _made(self, signal: Signal) -> _Plans | None:
        shape = shape_of(signal)
        if shape is None:
            return None
        plans = [self._plan(shape, each) for each in self._destinations]
        of = tuple(plan for plan in plans if plan is not None)
        templates = tuple((shape.telemetry[key], key) for key in TEMPLATE_KEYS if key in shape.telemetry)
        return _Plans(shape, templates, of) if len(of) == len(plans) else None

    def _plan(self, shape: Shape, destination: Destination) -> _Plan | None:
        """Return what `shape` decides for `destination`; None where it decides too little."""
        filter_, name = self._cleaner.filter_of(destination), self._cleaner.name_of(shape.name, destination)
        specs, of_telemetry = self._cleaner.declared(shape.name, destination)
        found: dict[str, _Entry] = {}
        telemetry = {
            key: (layer, key)
            for key, layer in shape.telemetry.items()
            if filter_.allows(key) and (of_telemetry is None or key in of_telemetry)
        }
        properties = {name: (2, key) for name, key in shape.properties.items()}
        for group, declared in ((telemetry, of_telemetry), (properties, specs)):
            for key, (layer, attribute) in group.items():
                read = filter_.plain_key(key, group)
                if read is None or is_added(key) or (declared is not None and key not in declared):
                    return None
                known = self._known.setdefault((filter_, key), {})
                spec = None if declared is None else declared[key]
                found[key] = (layer, attribute, f"{as_json_text(key)}:", known, read, spec)
        if name is None or not (filter_.has_room(len(telemetry)) and filter_.has_room(len(properties))):
            return None
        entries = tuple(found.values())
        rest = tuple(dropwhile(lambda entry: entry[0] == 0, entries))
        first = entries[: len(entries) - len(rest)]
        return _Plan(destination, filter_, first, rest, "\n".join([name, *found]), as_json_text(name), [None])


def _looked(filter_: Filter, entries: tuple[_Entry, ...], of: Sequence[Mapping[str, Any]]) -> _Looked | None:
    """Return what these attributes of a signal are in its event; None where one does not leave as it is."""
    pieces, texts, numbers = list[str](), list[str](), list[float]()
    news: list[tuple[_Known, str, str]] = []
    for layer, key, start, known, read, spec in entries:
        value = of[layer][key]
        # By exact type: True is equal to 1, and a class of the app's own may be equal to anything.
        kind = type(value)
        if kind is str:
            piece = known.get(value)
            if piece is None:
                if not filter_.is_unchanged(value, read):
                    return None
                piece = start + as_json_text(value)
                news.append((known, value, piece))
            texts.append(value)
        elif kind is bool:
            piece = f"{start}true" if value else f"{start}false"
        elif (kind is int or kind is float) and _leaves(value):
            piece = f"{start}{value!r}"
            numbers.append(value)
        else:
            return None
        if spec is not None and problem_of(spec, value) is not None:
            return None
        pieces.append(piece)
    return _Looked(of[0], ",".join(pieces), "\n".join(texts), numbers, news)


def _leaves(number: float) -> bool:
    """Return whether a number leaves as it is."""
    if -_NO_CARD < number < _NO_CARD:
        return True
    if isinstance(number, float) and not math.isfinite(number):
        return False
    if isinstance(number, int) and number.bit_length() > _MAX_INT_BITS:
        return False
    return not is_card_number(number)
