"""Catalog: the events and properties that an app declares it sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from otel_posthog.policy.frozen import FrozenMap


class CatalogMode(str, Enum):
    """What is done with what the catalog does not declare.

    `OFF`: nothing, the catalog is not looked at.
    `WARN`: it is sent all the same, counted, and its name is logged once.
    `ENFORCE`: it is not sent: no event, property, telemetry attribute, person property or group that is not declared.
    """

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


class PropertyType(str, Enum):
    """The type of a declared property; a value of another type is outside the catalog.

    `STRING`: text of at most `max_chars`, of the form `pattern` where there is one.
    `ENUM`: one of `values`.
    `INT`: a whole number from `min` to `max`.
    `FLOAT`: a number from `min` to `max`.
    `BOOL`: true or false.
    `LIST`: at most `max_items` of `items`.
    """

    STRING = "string"
    ENUM = "enum"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class PropertySpec:
    """A declared property.

    Attributes:
        type: What values it has.
        description: What it means, for people.
        values: The values of an `enum`.
        pattern: The form of a `string`: characters stand for themselves, `[A-Za-z0-9_-]` for one of these; `?`, `{3}`
            and `{1,8}` behind say how many. `*`, `+`, `.`, `|` and brackets are not known: see `docs/policy.md`.
        min: The smallest value of an `int` or `float`.
        max: The largest one.
        max_chars: The longest `string`, in characters.
        items: What the items of a `list` are; one-line strings where not given.
        max_items: The longest `list`.
    """

    type: PropertyType = PropertyType.STRING
    description: str = ""
    values: tuple[str, ...] = ()
    pattern: str | None = None
    min: float | None = field(default=None, metadata={"minimum": None})
    max: float | None = field(default=None, metadata={"minimum": None})
    max_chars: int = 200
    items: PropertySpec | None = None
    max_items: int = 100


@dataclass(frozen=True, slots=True)
class EventSpec:
    """A declared event.

    Attributes:
        description: What it means, for people.
        properties: The properties that it may have, by name, next to those that every event may have.
    """

    description: str = ""
    properties: FrozenMap[str, PropertySpec] = FrozenMap()  # noqa: RUF009 - immutable


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A declared type of groups.

    Attributes:
        description: What it means, for people.
        key: What the keys of its groups look like; a string where not given.
        properties: The properties that a group may be given, by name.
    """

    description: str = ""
    key: PropertySpec | None = None
    properties: FrozenMap[str, PropertySpec] = FrozenMap()  # noqa: RUF009 - immutable


@dataclass(frozen=True, slots=True)
class Catalog:
    """What may be sent at all; what is declared still goes through every other filter.

    Attributes:
        mode: What is done with what is not declared.
        file: A YAML file with `events`, `properties`, `person` and `groups`, relative to this one; what stands here
            wins over it.
        events: The events, by name; `$identify`, `$groupidentify` and their like too.
        properties: Properties and telemetry attributes that every event may have.
        person: Person properties.
        groups: Types of groups.
    """

    mode: CatalogMode = CatalogMode.OFF
    file: str | None = None
    events: FrozenMap[str, EventSpec] = FrozenMap()  # noqa: RUF009 - immutable
    properties: FrozenMap[str, PropertySpec] = FrozenMap()  # noqa: RUF009 - immutable
    person: FrozenMap[str, PropertySpec] = FrozenMap()  # noqa: RUF009 - immutable
    groups: FrozenMap[str, GroupSpec] = FrozenMap()  # noqa: RUF009 - immutable
