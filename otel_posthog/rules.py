"""What a rule of the recogniser is: conditions on an item of telemetry, as data, and whether an item fits.

As data, since three ask: the recogniser of an item itself, a reader of what it has not decoded yet by names and keys,
and the compiler of the Collector's configuration, which writes them down in its language.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

from otel_posthog.model import Attributes, Source


class Field(str, Enum):
    """What of an item a condition looks at; the value is its name in `SpanFacts` and `ItemFacts`."""

    NAME = "name"
    KIND = "kind"
    STATUS = "status_code"
    SCOPE = "scope_name"
    ATTRIBUTE = "attributes"
    RESOURCE = "resource"
    BODY = "body"


class Operator(str, Enum):
    """How a condition looks at it."""

    IS = "is"
    BEGINS = "begins"
    PRESENT = "present"
    ABSENT = "absent"


class Condition(NamedTuple):
    """One condition on an item.

    Attributes:
        field: What of the item is looked at.
        operator: How.
        value: What it `IS`, or `BEGINS` with.
        key: Which `ATTRIBUTE`, of the item or of its `RESOURCE`.
    """

    field: Field
    operator: Operator
    value: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a product event of an item.

    Attributes:
        id: Short; a signal carries it.
        reason: Why an item that fits is a product event, for a person to read.
        source: Which kind of item it is about.
        conditions: All of them are to hold.
        event: The event's name; empty where the item says it.
        is_inside_product: Whether it is about the events of a span that is a product event itself, and no others.
    """

    id: str
    reason: str
    source: Source
    conditions: tuple[Condition, ...]
    event: str = ""
    is_inside_product: bool = False


class ItemFacts(Protocol):
    """What a rule may ask of any item, besides its name and attributes."""

    @property
    def scope_name(self) -> str:
        """The name of the instrumentation scope, empty where it has none."""

    @property
    def resource(self) -> Attributes:
        """The attributes of the resource that emitted it."""


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
    def start_ns(self) -> int:
        """When it started, in Unix nanoseconds."""

    @property
    def end_ns(self) -> int:
        """When it ended, in Unix nanoseconds."""


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
    for condition in rule.conditions:
        if condition.field is Field.NAME:
            found: object = name
        elif condition.field is Field.ATTRIBUTE:
            found = attributes.get(condition.key)
        elif condition.field is Field.RESOURCE:
            found = facts.resource.get(condition.key)
        else:
            found = getattr(facts, condition.field.value)
        if not _holds(condition, found):
            return False
    return True


def _holds(condition: Condition, found: object) -> bool:
    """Return whether `condition` holds of what was found; None where there is nothing, or nothing in it."""
    if condition.operator is Operator.IS:
        return found == condition.value
    if condition.operator is Operator.BEGINS:
        return isinstance(found, str) and found.startswith(condition.value)
    return (found is not None) is (condition.operator is Operator.PRESENT)


def any_may_fit(rules: Iterable[Rule], name: str, keys: Collection[str]) -> bool:
    """Return whether any of `rules` may fit an item of this name, with attributes of these keys."""
    return any(all(_may_hold(condition, name, keys) for condition in rule.conditions) for rule in rules)


def _may_hold(condition: Condition, name: str, keys: Collection[str]) -> bool:
    """Return whether a condition may hold, by the item's name and the keys of its attributes."""
    if condition.field is Field.NAME:
        return _holds(condition, name)
    if condition.field is not Field.ATTRIBUTE:
        return True
    return (condition.key in keys) is not (condition.operator is Operator.ABSENT)
