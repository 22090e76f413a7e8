"""Which items may be events by the policy's `derive` rules, in OTTL, and what the gateway needs of them to decide.

An item that a rule fits always may be one; one that no rule fits may be kept where OTTL cannot ask what the rule does.
Sampling, `once_per` and caps are the gateway's. What is read by no rule stays behind, and the text of a query always.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from otel_posthog.actor.attributes import SESSION_ID_KEYS, USER_ID_KEYS
from otel_posthog.apps.collector_config.attribute import (
    TRUE,
    Told,
    all_hold,
    any_holds,
    like_any,
    on_attribute,
    told_by,
)
from otel_posthog.apps.collector_config.shortened import ADDRESSES
from otel_posthog.conventions import ERROR_TYPE, ROUTE, STATEMENTS, STATUS_CODE, names_of
from otel_posthog.derived import STATUS_CLASS, TRACE_ID, rules_of
from otel_posthog.feature_flags import FLAG_CALLED, READ
from otel_posthog.model import PROCESSED, Source
from otel_posthog.policy import DeriveRule, OncePer, Policy
from otel_posthog.policy.derive_checks import OF_SPANS
from otel_posthog.rules import NEEDS_NOTHING, Condition, Field, Operator, Rule

_TEXTS = frozenset(STATEMENTS)

CONTEXTS: Mapping[Source, str] = {Source.SPAN: "span", Source.SPAN_EVENT: "spanevent", Source.LOG: "log"}
"""What OTTL calls each kind of item."""

_CHEAP_FIRST = (Field.KIND, Field.STATUS, Field.DURATION, Field.NAME, Field.SPAN_NAME, Field.SCOPE, Field.ATTRIBUTE)
_KINDS = ("SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES = ("OK", "ERROR")


def refused(policy: Policy) -> dict[str, str]:
    """Return by its name what a rule needs that is not there for whoever gets the telemetry from a Collector."""
    found: dict[str, str] = {}
    for rule in policy.derive_rules:
        if rule.when.child or rule.when.without_child:
            found[rule.name] = "the spans inside a span"
        elif any(_is_told_by_text(key) for key in rule.when.attributes):
            found[rule.name] = "the text of a query"
    return found


def without_refused(policy: Policy) -> Policy:
    """Return `policy` with those of its rules only that a Collector can hand on items for."""
    names = refused(policy)
    return replace(policy, derive=tuple(rule for rule in policy.derive_rules if rule.name not in names))


def told_by_text(policy: Policy) -> dict[str, list[str]]:
    """Return by its name which properties of a rule are left out where only the text of a query tells them."""
    found = {
        rule.name: [name for name, key in rule.properties.items() if _is_told_by_text(key)]
        for rule in policy.derive_rules
    }
    return {name: properties for name, properties in found.items() if properties}


def _is_told_by_text(key: str) -> bool:
    return not _TEXTS.isdisjoint(names_of(key))


class Derived:
    """The rules about one kind of item.

    Args:
        policy: Whose, without those that are refused.
        source: Which kind.
        tells_users_apart: Whether who acts may be sent, so that it is needed.
    """

    def __init__(self, policy: Policy, source: Source, *, tells_users_apart: bool) -> None:
        by_name = {rule.name: rule for rule in policy.derive_rules}
        self._context, self._tells_users_apart = CONTEXTS[source], tells_users_apart
        self._rules = [(rule, by_name[rule.id]) for rule in rules_of(policy) if rule.source is source]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def may_be(self, reads: Callable[[Rule, DeriveRule], bool] = lambda _, __: True) -> str:
        """Return the condition that an item may be an event, by a rule that `reads` what is asked for."""
        return any_holds(self._may_fit(rule) for rule, given in self._rules if reads(rule, given))

    def forms(self, field: Field) -> list[str]:
        """Return what the rules say of the names that `field` is about."""
        conditions = (each for rule, _ in self._rules for each in rule.conditions)
        return sorted({form for each in conditions if each.field is field for form in each.values})

    def names(self) -> set[str]:
        """Return the names of the attributes that the rules read, of the item."""
        keys = self._keys()
        found = {name for key in keys for name in names_of(key)} - _TEXTS
        if self._context == "span" and any(ROUTE in given.properties.values() for _, given in self._rules):
            found |= ADDRESSES
        limits = {given.once_per for _, given in self._rules}
        found.update(
            USER_ID_KEYS if not limits.isdisjoint({OncePer.USER, OncePer.FLAG}) else (),
            SESSION_ID_KEYS if OncePer.SESSION in limits else (),
        )
        return found

    def excluding(self) -> set[str]:
        """Return those of them that a rule excludes items by: without them it would fit."""
        conditions = [each for rule, _ in self._rules for each in rule.conditions]
        keys = {each.key for each in conditions if each.operator in NEEDS_NOTHING and each.field is Field.ATTRIBUTE}
        return {name for key in keys for name in names_of(key)}

    def resource_names(self) -> set[str]:
        """Return the same of its resource."""
        return {name for _, given in self._rules for key in given.when.resource for name in names_of(key)}

    def needed_of(self, name: str) -> set[Told]:
        """Return what the rules read of the attribute that is written as `name`."""
        return {told for key in self._keys() for its, told, _ in told_by(key) if its == name}

    def _keys(self) -> set[str]:
        return {key for rule, given in self._rules for key in self._read_by(rule, given)}

    def _read_by(self, rule: Rule, given: DeriveRule) -> Iterator[str]:
        """Yield the attributes that a rule reads of an item, by the names of now."""
        yield from given.when.attributes
        yield from (STATUS_CODE,) if asks(rule, Field.ERROR) else ()
        for key in given.properties.values():
            if key in {STATUS_CLASS, ERROR_TYPE}:
                yield STATUS_CODE
                yield from () if key == STATUS_CLASS else (ERROR_TYPE,)
            elif key not in _NOT_ATTRIBUTES:
                yield key
        if rule.event == FLAG_CALLED:
            yield from READ
        if rule.result is not None:
            yield from (key for _, key in rule.result.name_parts if key)
        for who, limit in ((given.user, OncePer.USER), (given.session, OncePer.SESSION)):
            if who and (self._tells_users_apart or given.once_per in {limit, OncePer.FLAG}):
                yield who

    def _may_fit(self, rule: Rule) -> str:
        return all_hold(self._may_hold(each) for each in sorted(rule.conditions, key=_cost))

    def _may_hold(self, condition: Condition) -> str:
        if condition.field is Field.ATTRIBUTE:
            return on_attribute(condition, f"{self._context}.attributes")
        if condition.field is Field.RESOURCE:
            # The filter asks for the mark of an app with this package, before all and once.
            return TRUE if condition.key == PROCESSED else on_attribute(condition, "resource.attributes")
        ask = _OF_ITEM.get(condition.field)
        return TRUE if ask is None else ask(condition, self._context)


def asks(rule: Rule, field: Field) -> bool:
    """Return whether a rule has a condition on `field`."""
    return any(each.field is field for each in rule.conditions)


def reads_exceptions(rule: Rule, given: DeriveRule) -> bool:
    """Return whether a rule about spans reads which exception was recorded, where nothing else says what failed."""
    return asks(rule, Field.ERROR) or ERROR_TYPE in given.properties.values() or ERROR_TYPE in given.event


def _cost(condition: Condition) -> int:
    return _CHEAP_FIRST.index(condition.field) if condition.field in _CHEAP_FIRST else len(_CHEAP_FIRST)


def _kind(condition: Condition, _: str) -> str:
    return any_holds(
        # What is not said is internal.
        all_hold(f"span.kind != SPAN_KIND_{each}" for each in _KINDS)
        if kind == "INTERNAL"
        else f"span.kind == SPAN_KIND_{kind}"
        for kind in condition.values
    )


def _status(condition: Condition, _: str) -> str:
    return any_holds(
        all_hold(f"span.status.code != STATUS_CODE_{each}" for each in _STATUSES)
        if status == "UNSET"
        else f"span.status.code == STATUS_CODE_{status}"
        for status in condition.values
    )


def _duration(condition: Condition, _: str) -> str:
    took = "span.end_time_unix_nano - span.start_time_unix_nano"
    least = condition.operator is Operator.AT_LEAST
    return f"({took} {'>=' if least else '<='} {_threshold_ns(condition.number, least=least)})"


def _threshold_ns(number: float, *, least: bool) -> int:
    """Return the least or most of nanoseconds that, as milliseconds, are on this side of `number`."""
    ns = math.ceil(number * 1e6) if least else math.floor(number * 1e6)
    step = -1 if least else 1
    while (ns + step) / 1e6 >= number if least else (ns + step) / 1e6 <= number:
        ns += step
    while ns / 1e6 < number if least else ns / 1e6 > number:
        ns -= step
    return ns


def _name(condition: Condition, context: str) -> str:
    return like_any(f"{context}.event_name" if context == "log" else f"{context}.name", condition.values)


def _error(condition: Condition, context: str) -> str:
    """Return that it may hold of what a span says that went wrong, in its attribute or anywhere else."""
    told = on_attribute(condition._replace(field=Field.ATTRIBUTE, key=ERROR_TYPE), f"{context}.attributes")
    if condition.operator in NEEDS_NOTHING:
        return told
    return any_holds(
        [
            told,
            all_hold([f'{context}.attributes["{ERROR_TYPE}"] == nil', f"{context}.status.code == STATUS_CODE_ERROR"]),
        ]
    )


_OF_ITEM: Mapping[Field, Callable[[Condition, str], str]] = {
    Field.KIND: _kind,
    Field.STATUS: _status,
    Field.DURATION: _duration,
    Field.ERROR: _error,
    Field.NAME: _name,
    Field.SPAN_NAME: lambda condition, _: like_any("span.name", condition.values),
    Field.SCOPE: lambda condition, _: like_any("instrumentation_scope.name", condition.values),
}
_NOT_ATTRIBUTES = OF_SPANS | {STATUS_CLASS, TRACE_ID}
