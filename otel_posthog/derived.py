"""Rules of the policy that make product events of unmarked telemetry: what the recogniser asks, and what is made.

Comes in: the section `derive`. Goes out: rules as the recogniser asks them, and of an item that fits one the event's
name and attributes. What a rule lists as a property is one as if the app had declared it, `analytics.property.<name>`,
so that translation and privacy need not know where it comes from. The item itself is not changed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any

from otel_posthog.conventions import ERROR_TYPE, ROUTE, STATUS_CODE, names_of, read_by_either_name, route_of
from otel_posthog.model import PROCESSED, Attributes, Source
from otel_posthog.rules import Child, Condition, Field, Operator, Result, Rule, duration_ms, error_type

if TYPE_CHECKING:
    # As in `recogniser`, which asks for the rules.
    from otel_posthog.policy import Policy
    from otel_posthog.policy.sections.derive import DeriveConditions, DeriveRule, ValueCondition

STATUS_CLASS, TRACE_ID = "status_class", "trace_id"
"""What may be listed as a property next to attributes, of any item; `_OF_SPANS` has what may of a span."""

OTHER = "other"
"""Stands in the name of an event for what is no plain word: names of events are few."""

_ERROR, _ROUTE = f"{ERROR_TYPE} of a span", f"{ROUTE} of a span"
_BY_SPAN = {ERROR_TYPE: _ERROR, ROUTE: _ROUTE}
"""What of a span tells more than its attribute, or less."""

_OF_SPANS: Mapping[str, Callable[[Attributes, Any, Result], object]] = {
    "duration_ms": lambda _, facts, __: round(duration_ms(facts), 3),
    "duration_s": lambda _, facts, __: round(duration_ms(facts) / 1000, 6),
    "is_slow": lambda _, facts, result: duration_ms(facts) >= result.slow_ms,
    "is_error": lambda _, facts, __: facts.status_code == "ERROR",
    "span_kind": lambda _, facts, __: facts.kind.lower(),
    # What of a client is a whole URL with no more path than `/`, is not a route of this service.
    _ROUTE: lambda attributes, facts, _: attributes.get(ROUTE) if facts.kind == "CLIENT" else route_of(attributes),
    _ERROR: lambda attributes, facts, _: error_type(attributes, facts),
}

_STATUS_CODES = range(100, 600)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_COUNTED_KINDS, _REQUEST_KINDS = ("SERVER", "CONSUMER", "CLIENT"), ("SERVER", "CONSUMER")
_PROPERTY = "analytics.property."
_USER, _SESSION = "analytics.user.id", "analytics.session.id"


# A verb is the first word of a statement, a table may stand far behind.
_TO_BE_READ = {"db.operation.name": 1, "db.collection.name": 2}


def rules_of(policy: Policy) -> Iterator[Rule]:
    """Yield the rules of the section `derive`."""
    for each in policy.derive_rules:
        yield _rule(each)


def children_of(policy: Policy) -> Iterator[Child]:
    """Yield what the rules of the section `derive` ask of spans inside a request, each once."""
    asked = (each for rule in policy.derive_rules for each in (rule.when.child, rule.when.without_child) if each)
    for child in dict.fromkeys(asked):
        conditions = tuple(sorted(_of_child(child), key=lambda each: _TO_BE_READ.get(each.key, 0)))
        yield Child(_key_of(child), names_of(conditions[0].key), conditions)


def name_of(rule: Rule, attributes: Attributes) -> str:
    """Return the name of the event that `rule` makes of an item with these attributes."""
    if rule.result is None or not rule.result.name_parts:
        return rule.event
    return "".join(text + _word(attributes, key) for text, key in rule.result.name_parts)


def attributes_of(rule: Rule, attributes: Attributes, facts: Any) -> Attributes:
    """Return what the attributes of the event are, those of the item and what `rule` says.

    Args:
        rule: A rule that the item fits.
        attributes: The item's.
        facts: What else may be asked of a span.
    """
    result = rule.result
    if result is None:
        return attributes
    made = dict(attributes)
    for key, name in result.properties:
        found = _property(key, attributes, facts, result)
        if found is not None:
            made[_PROPERTY + name] = found
    for key, own in ((result.user, _USER), (result.session, _SESSION)):
        found = read_by_either_name(attributes, key) if key else None
        if found is not None:
            made.setdefault(own, found)
    return made


def _property(key: str, attributes: Attributes, facts: Any, result: Result) -> object:
    of_span = _OF_SPANS.get(key)
    if of_span is not None:
        return of_span(attributes, facts, result)
    if key == TRACE_ID:
        return f"{facts.trace_id:032x}" if facts.trace_id else None
    if key == STATUS_CLASS:
        code = read_by_either_name(attributes, STATUS_CODE)
        return f"{code // 100}xx" if isinstance(code, int) and code in _STATUS_CODES else None
    return read_by_either_name(attributes, key)


def _word(attributes: Attributes, key: str) -> str:
    if not key:
        return ""
    found = read_by_either_name(attributes, key)
    return found.lower() if isinstance(found, str) and _WORD.fullmatch(found) else OTHER


def _rule(given: DeriveRule) -> Rule:
    source = Source(given.when.signal.value)
    is_span = source is Source.SPAN
    parts = tuple((text, key or "") for text, key, _, _ in Formatter().parse(given.event))
    result = Result(
        tuple((_BY_SPAN.get(key, key) if is_span else key, name) for name, key in given.properties.items()),
        given.user or "",
        given.session or "",
        parts if any(key for _, key in parts) else (),
        math.inf if given.slow_ms is None else given.slow_ms,
    )
    reason = f"the policy's rule `{given.name}` makes an event of it"
    conditions = [*_conditions(given.when, source)]
    if given.sample < 1:
        conditions.append(Condition(Field.TRACE, Operator.SAMPLED, number=given.sample))
    return Rule(given.name, reason, source, tuple(conditions), given.event, result=result)


def _conditions(when: DeriveConditions, source: Source) -> Iterator[Condition]:
    counted = _REQUEST_KINDS if when.child or when.without_child else _COUNTED_KINDS
    kinds = tuple(each.value.upper() for each in when.kind) or (counted if source is Source.SPAN else ())
    yield from _among(Field.KIND, Operator.ONE_OF, kinds)
    yield from _among(Field.STATUS, Operator.ONE_OF, tuple(each.value.upper() for each in when.status))
    for operator, number in ((Operator.AT_LEAST, when.min_duration_ms), (Operator.AT_MOST, when.max_duration_ms)):
        if number is not None:
            yield Condition(Field.DURATION, operator, number=number)
    yield from _among(Field.NAME, Operator.LIKE, when.event_name)
    yield from _among(Field.SPAN_NAME, Operator.LIKE, when.span_name)
    yield from _among(Field.SCOPE, Operator.LIKE, when.scope)
    for field, by_key in ((Field.ATTRIBUTE, when.attributes), (Field.RESOURCE, when.resource)):
        for key, value in by_key.items():
            is_error = source is Source.SPAN and field is Field.ATTRIBUTE and key == ERROR_TYPE
            yield from _of_value(Field.ERROR if is_error else field, key, value)
    for operator, child in ((Operator.PRESENT, when.child), (Operator.ABSENT, when.without_child)):
        if child:
            yield Condition(Field.CHILD, operator, key=_key_of(child))
    yield Condition(Field.RESOURCE, Operator.ABSENT, key=PROCESSED)


def _of_child(child: Mapping[str, str]) -> Iterator[Condition]:
    for key, form in child.items():
        if "*" in form:
            yield Condition(Field.ATTRIBUTE, Operator.LIKE, key=key, values=(form,))
        else:
            yield Condition(Field.ATTRIBUTE, Operator.IS, form, key)


def _key_of(child: Mapping[str, str]) -> str:
    return "\n".join(f"{key}={form}" for key, form in sorted(child.items()))


def _among(field: Field, operator: Operator, values: Iterable[str]) -> Iterator[Condition]:
    given = tuple(values)
    if given:
        yield Condition(field, operator, values=given)


def _of_value(field: Field, key: str, value: ValueCondition) -> Iterator[Condition]:
    if value.equals is not None:
        yield Condition(field, Operator.IS, value.equals, key)
    for operator, values in (
        (Operator.ONE_OF, value.one_of),
        (Operator.LIKE, value.glob),
        (Operator.UNLIKE, value.not_glob),
    ):
        if values:
            yield Condition(field, operator, key=key, values=values)
    if value.prefix is not None:
        yield Condition(field, Operator.BEGINS, value.prefix, key)
    for operator, number in ((Operator.AT_LEAST, value.min), (Operator.AT_MOST, value.max)):
        if number is not None:
            yield Condition(field, operator, key=key, number=number)
    if value.present is not None:
        yield Condition(field, Operator.PRESENT if value.present else Operator.ABSENT, key=key)
