"""Catalog: the events and properties that an app declares it sends.

A catalog stands in the policy file or in a file of its own. `privacy/` applies it; here is only what can be declared.
"""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.fields import Choice, FrozenMap, setting
from otel_posthog.policy.section import Section


class CatalogMode(Choice):
    """What is done with what the catalog does not declare."""

    OFF = "off", "nothing, the catalog is not looked at."
    WARN = "warn", "it is sent all the same, counted, and its name is logged once."
    ENFORCE = (
        "enforce",
        "it is not sent: no event, property, telemetry attribute, person property or group that is not declared.",
    )


class PropertyType(Choice):
    """The type of a declared property; a value of another type is outside the catalog."""

    STRING = "string", "text of at most `max_chars`, of the form `pattern` where there is one."
    ENUM = "enum", "one of `values`."
    INT = "int", "a whole number from `min` to `max`."
    FLOAT = "float", "a number from `min` to `max`."
    BOOL = "bool", "true or false."
    LIST = "list", "at most `max_items` of `items`."


@dataclass(slots=True, repr=False, eq=False)
class PropertySpec(Section):
    """A declared property."""

    type: PropertyType = setting(PropertyType.STRING, "What values it has.")
    description: str = setting("", "What it means, for people.")
    values: tuple[str, ...] = setting((), "The values of an `enum`.")
    pattern: str | None = setting(
        None,
        "The form of a `string`: characters stand for themselves, `[A-Za-z0-9_-]` for one of these; `?`, `{3}` and "
        "`{1,8}` behind say how many. `*`, `+`, `.`, bars and brackets are not known: see `docs/policy.md`.",
    )
    min: float | None = setting(None, "The smallest value of an `int` or `float`.", minimum=None)
    max: float | None = setting(None, "The largest one.", minimum=None)
    max_chars: int = setting(200, "The longest `string`, in characters.")
    items: PropertySpec | None = setting(None, "What the items of a `list` are; one-line strings where not given.")
    max_items: int = setting(100, "The longest `list`.")


@dataclass(slots=True, repr=False, eq=False)
class EventSpec(Section):
    """A declared event."""

    description: str = setting("", "What it means, for people.")
    properties: FrozenMap[str, PropertySpec] = setting(
        FrozenMap(),
        "The properties that it may have, by name, next to those that every event may have.",
    )


@dataclass(slots=True, repr=False, eq=False)
class GroupSpec(Section):
    """A declared type of groups."""

    description: str = setting("", "What it means, for people.")
    key: PropertySpec | None = setting(None, "What the keys of its groups look like; a string where not given.")
    properties: FrozenMap[str, PropertySpec] = setting(
        FrozenMap(), "The properties that a group may be given, by name."
    )


@dataclass(slots=True, repr=False, eq=False)
class Catalog(Section):
    """What may be sent at all; what is declared still goes through every other filter."""

    mode: CatalogMode = setting(CatalogMode.OFF, "What is done with what is not declared.")
    file: str | None = setting(
        None,
        "A YAML file with `events`, `properties`, `person` and `groups`, relative to this one; what stands here wins "
        "over it.",
    )
    events: FrozenMap[str, EventSpec] = setting(
        FrozenMap(),
        "The events, by name; `$identify`, `$groupidentify` and their like too.",
    )
    properties: FrozenMap[str, PropertySpec] = setting(
        FrozenMap(),
        "Properties and telemetry attributes that every event may have.",
    )
    person: FrozenMap[str, PropertySpec] = setting(FrozenMap(), "Person properties.")
    groups: FrozenMap[str, GroupSpec] = setting(FrozenMap(), "Types of groups.")
