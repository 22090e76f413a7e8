"""The catalog of a destination: what it does not declare is removed, or noted and logged.

Comes in: an event as translated. Goes out: the same event without what its catalog does not declare, before any other
rule. Runs on the worker. A declared property still passes every other filter. It never logs a value, and logs a name
only if it looks like one.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping

from otel_posthog.errors import DropEvent
from otel_posthog.model import EXCEPTION_EVENT, Attributes, Event, GroupUpdate, Receipt, Subject
from otel_posthog.policy import Catalog, CatalogMode, EventSpec, PropertySpec, PropertyType
from otel_posthog.policy.pattern import matches
from otel_posthog.privacy.json_values import as_json
from otel_posthog.regex import regex

UNDECLARED, TYPE, VALUE = "catalog_undeclared", "catalog_type", "catalog_value"
"""The rules of a receipt: a name that is not declared, a value of another type, a value outside the constraints."""

Specs = Mapping[str, PropertySpec]
"""Declared properties by name."""

REMOVED, NOTED = "removed", "noted"

_log = logging.getLogger("otel_posthog")

# `exceptions.mode` bounds what a `$exception` event may have; no type that a catalog could declare does.
_EXCEPTION_PROPERTIES = frozenset({"$exception_list", "$exception_level"})
_NAME = regex(r"(?!.*\d{5})[A-Za-z_$][\w.$ -]{0,99}", re.ASCII)
_MAX_LOGGED = 1000
_STRING = PropertySpec()


class Declared:
    """A compiled catalog; safe to share between threads.

    Args:
        catalog: What is declared.
        destination: Whose catalog it is, for the log.
        log: Called once for each name that is not declared; None for no log.
    """

    def __init__(
        self, catalog: Catalog, destination: str = "default", log: Callable[..., None] | None = _log.warning
    ) -> None:
        self._catalog, self._destination, self._log = catalog, destination, log
        self._is_on = catalog.mode is not CatalogMode.OFF
        self._enforces = catalog.mode is CatalogMode.ENFORCE
        self._logged: set[str] = set()

    def event(self, event: Event, receipt: Receipt) -> Event:
        """Return what of `event` is declared.

        Args:
            event: As translated.
            receipt: Gets what was not declared.

        Raises:
            DropEvent: `catalog_event`, for an event that is not declared.
        """
        if not self._is_on:
            return event
        self.check_name(event.name, receipt)
        return event._replace(
            properties=self.properties(event.name, event.properties, receipt),
            telemetry=self._telemetry(event.telemetry, receipt),
            subject=self._subject(event.subject, receipt),
            group=event.group and self._group(event.group, receipt),
        )

    def check_name(self, name: str, receipt: Receipt) -> None:
        """Note an event that is not declared.

        Raises:
            DropEvent: `catalog_event`, where the catalog is enforced.
        """
        if not self._is_on or name in self._catalog.events:
            return
        self._note(receipt, "event", UNDECLARED, f"event {_shown(name)}")
        if self._enforces:
            raise DropEvent("catalog_event")

    def properties(self, name: str, properties: Attributes, receipt: Receipt) -> Attributes:
        """Return what of the properties of an event is declared.

        Args:
            name: The event's name.
            properties: As the app declared them.
            receipt: Gets what went, or was noted.
        """
        if not self._is_on:
            return properties
        own = _EXCEPTION_PROPERTIES if name == EXCEPTION_EVENT else frozenset()
        return self._checked(properties, self.specs_of(name) or {}, receipt, of=name, own=own)

    def specs_of(self, name: str) -> Specs | None:
        """Return what is declared of the properties of an event; None where nothing need be."""
        if not self._is_on:
            return None
        return {**self._catalog.properties, **self._catalog.events.get(name, EventSpec()).properties}

    def specs_of_telemetry(self) -> Specs | None:
        """Return what is declared of telemetry; None where what is not declared goes out as well."""
        return self._catalog.properties if self._enforces else None

    def _telemetry(self, telemetry: Attributes, receipt: Receipt) -> Attributes:
        """Return the declared telemetry. The rest is not noted: the app did not ask to send it."""
        if not self._enforces:
            return telemetry
        specs = self._catalog.properties
        return self._checked({key: value for key, value in telemetry.items() if key in specs}, specs, receipt)

    def _subject(self, subject: Subject, receipt: Receipt) -> Subject:
        person = self._catalog.person
        specs = {kind: spec.key or _STRING for kind, spec in self._catalog.groups.items()}
        groups = self._checked(subject.groups, specs, receipt, of="groups")
        return subject._replace(
            groups={kind: str(key) for kind, key in groups.items()},
            person_set=self._checked(subject.person_set, person, receipt, of="person"),
            person_set_once=self._checked(subject.person_set_once, person, receipt, of="person"),
        )

    def _group(self, group: GroupUpdate, receipt: Receipt) -> GroupUpdate:
        spec = self._catalog.groups.get(group.type)
        problem = UNDECLARED if spec is None else problem_of(spec.key or _STRING, group.key)
        if problem is not None:
            self._note(receipt, "group", problem, f"group type {_shown(group.type)}")
            if self._enforces:
                raise DropEvent("catalog_group")
        specs = {} if spec is None else spec.properties
        return group._replace(properties=self._checked(group.properties, specs, receipt, of="group"))

    def _checked(
        self,
        given: Attributes,
        specs: Mapping[str, PropertySpec],
        receipt: Receipt,
        *,
        of: str = "telemetry",
        own: frozenset[str] = frozenset(),
    ) -> dict[str, object]:
        kept: dict[str, object] = {}
        for key, value in given.items():
            spec = specs.get(key)
            problem = None if key in own else UNDECLARED if spec is None else problem_of(spec, value)
            if problem is not None:
                name = _shown(key)
                self._note(receipt, name, problem, f"property {name} of {_shown(of)}")
                if self._enforces:
                    continue
            kept[key] = value
        return kept

    def _note(self, receipt: Receipt, key: str, rule: str, what: str) -> None:
        receipt.add(key, rule, REMOVED if self._enforces else NOTED)
        line = f"{what} ({rule})"
        if self._log is not None and line not in self._logged and len(self._logged) < _MAX_LOGGED:
            self._logged.add(line)
            fate = "not sent" if self._enforces else "sent all the same"
            self._log("the catalog of destination %s does not know %s: %s", self._destination, line, fate)


def problem_of(spec: PropertySpec, value: object) -> str | None:
    """Return the rule of the catalog that a value of a property so declared breaks, if any."""
    value = as_json(value)
    kind = spec.type
    if kind is PropertyType.LIST:
        return _list_problem(spec, value)
    if kind in {PropertyType.INT, PropertyType.FLOAT}:
        return _numberproblem_of(spec, value)
    if kind is PropertyType.BOOL:
        return None if isinstance(value, bool) else TYPE
    if not isinstance(value, str):
        return TYPE
    if kind is PropertyType.ENUM:
        return None if value in spec.values else VALUE
    fits = len(value) <= spec.max_chars and (spec.pattern is None or matches(spec.pattern, value))
    return None if fits else VALUE


def _numberproblem_of(spec: PropertySpec, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return TYPE
    if isinstance(value, float) and (spec.type is PropertyType.INT or not math.isfinite(value)):
        return TYPE
    low = -math.inf if spec.min is None else spec.min
    high = math.inf if spec.max is None else spec.max
    return None if low <= value <= high else VALUE


def _list_problem(spec: PropertySpec, value: object) -> str | None:
    if not isinstance(value, (list, tuple)):
        return TYPE
    if len(value) > spec.max_items:
        return VALUE
    items = spec.items or _STRING
    return next((problem for each in value if (problem := problem_of(items, each)) is not None), None)


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else "[name]"
