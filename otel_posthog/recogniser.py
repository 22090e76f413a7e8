"""Which product events an item of telemetry is: the one place that says so.

Comes in: a policy, then spans, span events and log records. Goes out, for each: the product events that it is, with the
rule that says so; whether it is nothing else, so that the operational side does not get it; and, from names and keys
alone, whether it may be one. Runs on the app's threads, on every span and log record: it only looks, and keeps nothing.

Rules that make product events of unmarked telemetry join in `_derived`. The app's intake, the gateway, `explain` and
the Collector's compiler ask for the rules here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from otel_posthog import derived
from otel_posthog.conventions import STATUS_CODE
from otel_posthog.feature_flags import FLAG_CALLED
from otel_posthog.matcher import Matcher, fitting
from otel_posthog.model import EXCEPTION_EVENT, NO_ATTRIBUTES, PROCESSED, Attributes, Source
from otel_posthog.rules import (
    Condition,
    Field,
    ItemFacts,
    Operator,
    Outline,
    Rule,
    SpanEvent,
    SpanFacts,
    all_of_attributes,
    any_may_fit,
    fits,
)

if TYPE_CHECKING:
    # At run time this is imported by `capture()`, before anybody needs a policy.
    from otel_posthog.policy import Policy

PREFIX = "analytics."
EVENT = "analytics.event"

RECORD_UID_KEY = "log.record.uid"
CONTENT_UID = "otel-posthog:"
"""Beginning of a `log.record.uid` that our Collector configuration made of a record's content, by a key."""

EXCEPTION = "exception"
EXCEPTION_TYPE = "exception.type"

Found = Sequence[tuple[str, str]]
"""The product events that an item is: the name and the rule's `id` of each."""

NOTHING: Found = ()
_Item = TypeVar("_Item")
_Event = TypeVar("_Event", bound=SpanEvent)


def _has(key: str) -> Condition:
    return Condition(Field.ATTRIBUTE, Operator.PRESENT, key=key)


def _lacks(key: str) -> Condition:
    return Condition(Field.ATTRIBUTE, Operator.ABSENT, key=key)


_MARKED, _IS_NAMED = _has(EVENT), Condition(Field.NAME, Operator.BEGINS, PREFIX)
# The status of an answer, by its present and its former name; from here on the server says that it failed.
_STATUS_KEYS, _FAILED = (STATUS_CODE, "http.status_code"), 500
_BY_ATTRIBUTE, _BY_NAME, _BY_EXCEPTION = "attribute", "event_name", "exception"

NOT_DERIVED = frozenset({"", _BY_ATTRIBUTE, _BY_NAME, _BY_EXCEPTION})
"""The ids of what is not one of the policy's rules; an item is at most one such event."""

MARKS = (
    *(Rule(_BY_ATTRIBUTE, f"it has the attribute {EVENT}", source, (_MARKED,)) for source in Source),
    Rule(_BY_NAME, f"the name of the span event begins with {PREFIX}", Source.SPAN_EVENT, (_IS_NAMED,)),
    Rule(_BY_NAME, f"the name of the record begins with {PREFIX}", Source.LOG, (_IS_NAMED,)),
)
"""The rules of every policy: what the app itself marks. An item has at most one mark, and no other rule names it."""

ONLY_PRODUCT: Mapping[Source, Sequence[tuple[Condition, ...]]] = {
    Source.SPAN: (),
    Source.SPAN_EVENT: ((_IS_NAMED,), (_MARKED,)),
    # A line of text that is marked as a product event as well (`logger.info("...", extra={"analytics.event": ...})`)
    # is both: it stays a log line, without the product attributes.
    Source.LOG: ((_IS_NAMED,), (_MARKED, Condition(Field.BODY, Operator.ABSENT))),
}
"""When an item is nothing but a product event, by source: any of these, whatever the policy says. A span never is (its
children would be orphans), and what a rule makes an event of stays telemetry."""


class Recogniser:
    """The rules that are in force; they may be replaced while the process runs.

    Args:
        policy: Whose rules.
        is_marked_only: Whether to go only by what is marked, and what was recorded on that.
    """

    def __init__(self, policy: Policy, *, is_marked_only: bool = False) -> None:
        self._is_marked_only = is_marked_only
        self.replace(policy)

    def replace(self, policy: Policy) -> None:
        """Go by the rules of `policy` from the next item on."""
        exceptions = tuple(_exceptions(policy, is_marked_only=self._is_marked_only))
        rules = () if self._is_marked_only else tuple(_derived(policy))
        self.rules = (*MARKS, *exceptions, *rules)
        self.children = () if self._is_marked_only else tuple(derived.children_of(policy))
        """What rules ask of spans inside a request."""
        self.tells_flags = any(rule.event == FLAG_CALLED for rule in rules)
        """Whether a rule makes events of evaluations of feature flags."""
        self.events_url = None if self._is_marked_only else policy.events_template
        """The address, with placeholders, at which the events of a span's trace are seen; None where it is not told."""
        self._makers = {rule.id: rule for rule in rules}
        self._spans = _matcher(Source.SPAN, rules)
        self.looks_at_unmarked = self._spans is not None or bool(self.children)
        """Whether a span can matter that bears no product attribute."""
        self._derived_logs = _matcher(Source.LOG, rules)
        self._derived_span_events = _matcher(Source.SPAN_EVENT, rules)
        self._logs = _of(Source.LOG, exceptions)
        self._span_events = _of(Source.SPAN_EVENT, exceptions)
        # Inside a product span all is read anyway.
        self._outer_span_events = tuple(rule for rule in self._span_events if not rule.is_inside_product)

    def of(self, source: Source) -> tuple[Rule, ...]:
        """Return the rules about items of `source`, in the order in which they are asked."""
        return _of(source, self.rules)

    def reason(self, rule_id: str, source: Source) -> str:
        """Return why an item of `source` is an event by the rule of this id; empty where it is in force no more."""
        return next((rule.reason for rule in self.of(source) if rule.id == rule_id), "")

    def span(
        self,
        attributes: Attributes,
        span: _Item,
        facts: Callable[[_Item], SpanFacts],
        outline: Callable[[_Item], Outline],
    ) -> Found:
        """Return the product events that a span is; its own name says nothing.

        Args:
            attributes: The span's.
            span: The span.
            facts: Returns what else a rule may ask of `span`; called only where one may be about it.
            outline: Returns what is asked of every span; called only where there is a rule about spans.
        """
        # On every span of the app: nothing more than this is asked where no rule derives events.
        marked = attributes.get(EVENT)
        if marked is not None:
            return ((marked if isinstance(marked, str) else "", _BY_ATTRIBUTE),)
        if self._spans is None:
            return NOTHING
        left = self._spans.span(outline(span), attributes)
        if not left:
            return NOTHING
        return [(derived.name_of(rule, attributes), rule.id) for rule in fitting(left, attributes, facts(span))]

    def is_product(self, found: Found, attributes: Attributes) -> bool:
        """Return whether an exception that is recorded on a span is one on a product event.

        On a span of which a rule made an event it is none where the request was answered all the same, with a status
        below 500: Django records the `Http404` of a page that is not there.

        Args:
            found: The product events that the span is.
            attributes: The span's.
        """
        if not found or found[0][1] == _BY_ATTRIBUTE:
            return bool(found)
        statuses = [attributes.get(key) for key in _STATUS_KEYS]
        return not any(isinstance(status, int) and status < _FAILED for status in statuses)

    def children_in(self, attributes: Attributes) -> list[str]:
        """Return what a span with these attributes is of what rules ask of spans inside a request."""
        return [
            child.key
            for child in self.children
            if any(name in attributes for name in child.names) and all_of_attributes(child.conditions, attributes)
        ]

    def span_events(
        self, events: Iterable[_Event], span: _Item, facts: Callable[[_Item], SpanFacts], *, is_product: bool
    ) -> list[tuple[_Event, str, str]]:
        """Return those of a span's events that are product events, each with its name and the rule's `id`.

        Args:
            events: The span's.
            span: The span.
            facts: Returns what a rule may ask of `span`.
            is_product: Whether the span is a product event itself.
        """
        rules = self._span_events if is_product else self._outer_span_events
        asked = facts(span)
        found: list[tuple[_Event, str, str]] = []
        for event in events:
            attributes = event.attributes or NO_ATTRIBUTES
            mark = _mark(event.name, attributes)
            if mark is not None:
                found.append((event, *mark))
            else:
                its = [rule for rule in rules if fits(rule, event.name, attributes, asked)]
                if self._derived_span_events is not None:
                    its += self._derived_span_events.other(event.name, attributes, asked)
                found += [(event, derived.name_of(rule, attributes), rule.id) for rule in its]
        return found

    def attributes_of(
        self, rule_id: str, attributes: Attributes, item: _Item, facts: Callable[[_Item], ItemFacts]
    ) -> Attributes:
        """Return the attributes of the event that a rule makes of an item: the item's, with what the rule says.

        Args:
            rule_id: The rule's.
            attributes: The item's, or those of the span event.
            item: The span or record.
            facts: Returns what a rule may ask of `item`.
        """
        rule = self._makers.get(rule_id)
        return attributes if rule is None else derived.attributes_of(rule, attributes, facts(item))

    def log(
        self, event_name: str | None, attributes: Attributes, record: _Item, facts: Callable[[_Item], ItemFacts]
    ) -> Found:
        """Return the product events that a log record is.

        Args:
            event_name: The record's.
            attributes: The record's.
            record: The record.
            facts: Returns what else a rule may ask of `record`; called only where there is such a rule.
        """
        mark = _mark(event_name, attributes)
        if mark is not None:
            return (mark,)
        if not self._logs and self._derived_logs is None:
            return NOTHING
        asked, name = facts(record), event_name or ""
        its = [rule for rule in self._logs if fits(rule, name, attributes, asked)]
        if self._derived_logs is not None:
            its += self._derived_logs.other(name, attributes, asked)
        return [(derived.name_of(rule, attributes), rule.id) for rule in its]

    def keeps_evicted(self, event: SpanEvent) -> bool:
        """Return whether a span event that the SDK evicts is to be kept: one that is marked, or may fit a rule."""
        attributes = event.attributes or NO_ATTRIBUTES
        if is_only_product_event(event.name, attributes):
            return True
        rules = self._derived_span_events
        return rules is not None and rules.may_fit(event.name, attributes)

    def may_be_span(self, name: str, keys: Collection[str]) -> bool:
        """Return whether a span of this name, with attributes of these `keys`, may be a product event."""
        return EVENT in keys or (self._spans is not None and self._spans.may_fit(name, keys))

    def may_be_span_event(self, name: str, keys: Collection[str]) -> bool:
        """Return the same of an event of a span that is no product event."""
        rules = self._outer_span_events
        if EVENT in keys or name.startswith(PREFIX) or (bool(rules) and any_may_fit(rules, name, keys)):
            return True
        return self._derived_span_events is not None and self._derived_span_events.may_fit(name, keys)

    def may_be_log(self, event_name: str, pairs: _Item, keys_of: Callable[[_Item], Collection[str]]) -> bool:
        """Return the same of a log record; its keys are read only where its name does not say it."""
        if event_name.startswith(PREFIX):
            return True
        rules, keys = self._logs, keys_of(pairs)
        if EVENT in keys or (bool(rules) and any_may_fit(rules, event_name, keys)):
            return True
        return self._derived_logs is not None and self._derived_logs.may_fit(event_name, keys)


def is_only_product_event(name: str, attributes: Attributes) -> bool:
    """Return whether a span event is nothing but a product event, and so not for the operational side."""
    return _mark(name, attributes) is not None


def is_only_product_log(event_name: str | None, attributes: Attributes, body: object) -> bool:
    """Return whether a log record is nothing but a product event; as `ONLY_PRODUCT` says."""
    return (isinstance(event_name, str) and event_name.startswith(PREFIX)) or (
        not body and attributes.get(EVENT) is not None
    )


def has_product_attributes(attributes: Mapping[str, object]) -> bool:
    """Return whether any attribute belongs to the product side."""
    # On every span of the app, where a call for each key would take twice the time, and `any` four times.
    try:
        for key in attributes:
            if PREFIX in key and key.startswith(PREFIX):
                return True
    except (AttributeError, TypeError):
        # A sampler sees attributes before the SDK has looked at them: a key may be anything.
        return any(isinstance(key, str) and key.startswith(PREFIX) for key in attributes)
    return False


def without_product_attributes(attributes: Mapping[str, object]) -> dict[str, object]:
    """Return the attributes that do not belong to the product side."""
    return {key: value for key, value in attributes.items() if not key.startswith(PREFIX)}


def _mark(name: str | None, attributes: Attributes) -> tuple[str, str] | None:
    """Return what a span event or log record is marked as, as `MARKS` says it; the attribute wins over the name."""
    marked = attributes.get(EVENT)
    if marked is not None:
        return (marked if isinstance(marked, str) else "", _BY_ATTRIBUTE)
    if isinstance(name, str) and name.startswith(PREFIX):
        return (name[len(PREFIX) :], _BY_NAME)
    return None


def _exceptions(policy: Policy, *, is_marked_only: bool = False) -> Iterable[Rule]:
    """Yield the rules that make `$exception` events of recorded exceptions.

    Source: https://opentelemetry.io/docs/specs/semconv/exceptions/ (a span event's name must be `exception`, a log
    record has the attributes). One on a marked log record goes with the record's own event.
    """
    reason = "an exception was recorded, and the policy has it sent"
    named = Condition(Field.NAME, Operator.IS, EXCEPTION)
    of_all = policy.exceptions.takes(is_product=False) and not is_marked_only
    if policy.exceptions.takes(is_product=True):
        conditions = (named, _lacks(PROCESSED))
        yield Rule(_BY_EXCEPTION, reason, Source.SPAN_EVENT, conditions, EXCEPTION_EVENT, is_inside_product=not of_all)
    if of_all:
        yield Rule(_BY_EXCEPTION, reason, Source.LOG, (_has(EXCEPTION_TYPE), _lacks(PROCESSED)), EXCEPTION_EVENT)


def _derived(policy: Policy) -> Iterable[Rule]:
    """Return the rules of the policy that make product events of unmarked telemetry."""
    return derived.rules_of(policy)


def _matcher(source: Source, rules: Iterable[Rule]) -> Matcher | None:
    of_source = _of(source, rules)
    return Matcher(of_source, is_of_spans=source is Source.SPAN) if of_source else None


def _of(source: Source, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.source is source)
