"""What a rule of the recogniser is: conditions on an item of telemetry, as data, and whether an item fits.

As data, since three ask: the recogniser of an item itself, a reader of what it has not decoded yet by names and keys,
and the compiler of the Collector's configuration, which writes them down in its language.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from otel_posthog.conventions import OLD_NAMES, error_type_of, read_by_either_name
from otel_posthog.model import NO_ATTRIBUTES, Attributes, Source

_EXCEPTION, _EXCEPTION_TYPE = "exception", "exception.type"


class Field(str, Enum):
    """What of an item a condition looks at; the value is its name in `SpanFacts` and `ItemFacts`, where it is there."""

    NAME = "item_name"
    SPAN_NAME = "name"
    DURATION = "duration_ms"
    KIND = "kind"
    STATUS = "status_code"
    SCOPE = "scope_name"
    ATTRIBUTE = "attributes"
    RESOURCE = "resource"
    BODY = "body"
    TRACE = "trace_id"
    ERROR = "error_type"
    CHILD = "children"


class Operator(str, Enum):
    """How a condition looks at it."""

    IS = "is"
    BEGINS = "begins"
    PRESENT = "present"
    ABSENT = "absent"
    ONE_OF = "one_of"
    LIKE = "like"
    UNLIKE = "unlike"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    SAMPLED = "sampled"


NEEDS_NOTHING = frozenset({Operator.ABSENT, Operator.UNLIKE})
"""Those that may hold where there is nothing."""


class Condition(NamedTuple):
    """One condition on an item.

    Attributes:
        field: What of the item is looked at.
        operator: How.
        value: What it `IS`, or `BEGINS` with.
        key: Which `ATTRIBUTE`, of the item or of its `RESOURCE`, by its name in the semantic conventions of now; which
            `CHILD`, by the key of a `Child`.
        values: What it is `ONE_OF`; the forms that it is `LIKE` one of, or `UNLIKE` all of.
        number: What it is `AT_LEAST` or `AT_MOST`; the part of all traces that is `SAMPLED`.
    """

    field: Field
    operator: Operator
    value: str = ""
    key: str = ""
    values: tuple[str, ...] = ()
    number: float = 0


class Child(NamedTuple):
    """What a span inside a request is to be, for a rule about the request.

    Attributes:
        key: The same for the same conditions.
        names: The attributes of which it has one.
        conditions: What is to hold of its attributes.
    """

    key: str
    names: tuple[str, ...]
    conditions: tuple[Condition, ...]


class Result(NamedTuple):
    """What a derived event has besides its name.

    Attributes:
        properties: (attribute, property) of each; by the names of now.
        user: The attribute that is the user's id; empty where none is named.
        session: The same of the session.
        name_parts: (text, attribute) of the event's name, one after the other; none where the name is fixed.
        slow_ms: From how long on it is slow.
    """

    properties: tuple[tuple[str, str], ...] = ()
    user: str = ""
    session: str = ""
    name_parts: tuple[tuple[str, str], ...] = ()
    slow_ms: float = math.inf


class Rule(NamedTuple):
    """What makes a product event of an item.

    Attributes:
        id: Short; a signal carries it.
        reason: Why an item that fits is a product event, for a person to read.
        source: Which kind of item it is about.
        conditions: All of them are to hold.
        event: The event's name; empty where the item says it.
        is_inside_product: Whether it is about the events of a span that is a product event itself, and no others.
        result: What the event has; None where the item says all of it.
    """

    id: str
    reason: str
    source: Source
    conditions: tuple[Condition, ...]
    event: str = ""
    is_inside_product: bool = False
    result: Result | None = None


class ItemFacts(Protocol):
    """What a rule may ask of any item, besides its name and attributes."""

    @property
    def scope_name(self) -> str:
        """The name of the instrumentation scope, empty where it has none."""

    @property
    def resource(self) -> Attributes:
        """The attributes of the resource that emitted it."""

    @property
    def trace_id(self) -> int:
        """The trace's id; 0 where it belongs to none."""


class SpanFacts(ItemFacts, Protocol):
    """What a rule may ask of a span, besides its attributes."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """`INTERNAL`, `SERVER`, `CLIENT`, `PRODUCER` or `CONSUMER`."""

    @property
    def status_code(self) -> str:
        """`UNSET`, `OK` or `ERROR`."""

    @property
    def took_ns(self) -> int:
        """How long it took, in nanoseconds."""

    @property
    def exception_type(self) -> object:
        """The type of the last exception that was recorded on it; None where there is none."""

    @property
    def children(self) -> Collection[str] | None:
        """The keys of what was found inside it; None of a span that is no request, or not of this process."""


Outline = tuple[str, str, int]
"""What is asked of every span, by one call: kind, status, and how long it took in nanoseconds."""


class SpanEvent(Protocol):
    """A span event, of the SDK or of a document."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def attributes(self) -> Mapping[str, Any] | None:
        """Its attributes."""

    @property
    def timestamp(self) -> int:
        """When, in Unix nanoseconds."""


def fits(rule: Rule, name: str, attributes: Attributes, facts: ItemFacts) -> bool:
    """Return whether all conditions of `rule` hold of an item."""
    return all_hold(rule.conditions, name, attributes, facts)


def all_hold(conditions: Iterable[Condition], name: str, attributes: Attributes, facts: ItemFacts) -> bool:
    """Return whether all `conditions` hold of an item."""
    for condition in conditions:
        if condition.field is Field.NAME:
            found: object = name
        elif condition.field is Field.ATTRIBUTE:
            found = read_by_either_name(attributes, condition.key)
        elif condition.field is Field.RESOURCE:
            found = read_by_either_name(facts.resource, condition.key)
        elif condition.field is Field.DURATION:
            found = duration_ms(facts)
        elif condition.field is Field.ERROR:
            found = error_type(attributes, facts)
        elif condition.field is Field.CHILD:
            children = getattr(facts, condition.field.value)
            # Of what has not been seen, nothing is known.
            if children is None:
                return False
            found = condition.key if condition.key in children else None
        else:
            found = getattr(facts, condition.field.value)
        if not holds(condition, found):
            return False
    return True


def all_of_attributes(conditions: Iterable[Condition], attributes: Attributes) -> bool:
    """Return whether all `conditions`, which ask of attributes only, hold."""
    return all(holds(each, read_by_either_name(attributes, each.key)) for each in conditions)


def duration_ms(facts: Any) -> float:
    """Return how long a span took."""
    return facts.took_ns / 1e6  # type: ignore[no-any-return]


def last_exception(events: Sequence[SpanEvent]) -> object:
    """Return the type of the last exception among a span's events; None where there is none."""
    for event in reversed(events):
        if event.name == _EXCEPTION:
            return (event.attributes or NO_ATTRIBUTES).get(_EXCEPTION_TYPE)
    return None


def error_type(attributes: Attributes, facts: Any) -> object:
    """Return which kind of error a span tells of; None where it tells of none."""
    has_failed = facts.status_code == "ERROR"
    return error_type_of(attributes, has_failed=has_failed, exception_type=facts.exception_type if has_failed else None)


def holds(condition: Condition, found: object) -> bool:
    """Return whether `condition` holds of what was found; None where there is nothing, or nothing in it."""
    operator = condition.operator
    if operator is Operator.IS:
        return text_of(found) == condition.value
    if operator is Operator.PRESENT or operator is Operator.ABSENT:
        return (found is not None) is (operator is Operator.PRESENT)
    if operator is Operator.BEGINS:
        return isinstance(found, str) and found.startswith(condition.value)
    if operator is Operator.ONE_OF:
        return text_of(found) in condition.values
    if operator is Operator.SAMPLED:
        return _is_sampled(found, condition.number)
    return _is_within(condition, found) if operator in _OF_NUMBERS else _is_like(condition, found)


_OF_NUMBERS = frozenset({Operator.AT_LEAST, Operator.AT_MOST})


_RANDOM_BITS = 56


def _is_sampled(trace_id: object, part: float) -> bool:
    """Return whether a trace is among those that are taken.

    As OpenTelemetry's consistent sampling has it, the last 56 bits of an id are random, and of two parts the smaller is
    within the larger: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/.
    """
    if not isinstance(trace_id, int) or not trace_id:
        return random.random() < part  # noqa: S311 - nothing is kept secret by it
    return trace_id % (1 << _RANDOM_BITS) >= (1 - part) * (1 << _RANDOM_BITS)


def _is_within(condition: Condition, found: object) -> bool:
    if not isinstance(found, (int, float)) or isinstance(found, bool):
        return False
    return found >= condition.number if condition.operator is Operator.AT_LEAST else found <= condition.number


def _is_like(condition: Condition, found: object) -> bool:
    is_like = isinstance(found, str) and any(is_of_form(found, each) for each in condition.values)
    return is_like is (condition.operator is Operator.LIKE)


def text_of(value: object) -> str | None:
    """Return the text by which a rule names a value; None of one that is no text, number or truth value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else None


def is_of_form(text: str, form: str) -> bool:
    """Return whether `text` is of `form`, in which `*` stands for any characters; in time linear in the text."""
    first, *others = form.split("*")
    if not others:
        return text == form
    if not text.startswith(first):
        return False
    at, last = len(first), others.pop()
    for part in others:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(text) - len(last) >= at and text.endswith(last)


def any_may_fit(rules: Iterable[Rule], name: str, keys: Collection[str]) -> bool:
    """Return whether any of `rules` may fit an item of this name, with attributes of these keys."""
    return any(all(_may_hold(condition, name, keys) for condition in rule.conditions) for rule in rules)


def _may_hold(condition: Condition, name: str, keys: Collection[str]) -> bool:
    """Return whether a condition may hold, by the item's name and the keys of its attributes."""
    if condition.field is Field.NAME:
        return holds(condition, name)
    if condition.field is not Field.ATTRIBUTE:
        return True
    if condition.operator in NEEDS_NOTHING:
        return True  # what stands there may be empty
    return condition.key in keys or any(old.name in keys for old in OLD_NAMES.get(condition.key, ()))
