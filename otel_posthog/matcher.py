"""Which of many rules an item fits, in little time for the many that fit none.

What is asked of a span, in this order: its kind, which keys its attributes have, its status, how long it took, and the
values of a few attributes. For each set of keys it is worked out once which rules are possible and what of them is
still to be asked (`residual.py`); what they say of values is remembered, as routes, methods and statuses are few. Runs
on the app's threads, on every span and log record of an app whose policy derives events; several may ask at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from otel_posthog.conventions import names_of
from otel_posthog.model import Attributes
from otel_posthog.residual import NO_NUMBER, Possible, Residual, names_read, possible, residual_of
from otel_posthog.rules import (
    NEEDS_NOTHING,
    Field,
    ItemFacts,
    Outline,
    Rule,
    SpanFacts,
    all_hold,
    any_may_fit,
    duration_ms,
    holds,
)

KINDS = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
_NO_STATUS = ("",)
# Requests and calls bear the attributes by which rules tell them.
_COMMON = frozenset({"SERVER", "CLIENT", "CONSUMER"})
_NOTHING: Sequence[Possible] = ()

# Instrumentations have few sets of keys, and fewer of those that rules ask for. Of one kind of item 512 sets are
# remembered, of 4,096 characters each, and 8,192 times what rules say of values; then all of it is forgotten.
_SHAPES_KEPT, _MAX_SHAPE_CHARS, _VALUES_KEPT = 512, 4096, 8192


class _Bucket:
    """The rules about one kind of span, or about all span events or log records.

    Args:
        rules: With their places.
        statuses: Those that an item may have.
        is_common: Whether most items have an attribute that a rule needs.
    """

    def __init__(self, rules: Iterable[Possible], statuses: Sequence[str], *, is_common: bool) -> None:
        self._rules, self._statuses = tuple(rules), statuses
        self._read = frozenset[str]().union(*(names_read(each) for each in self._rules))
        self.needs_attribute, self.names = _needed(self._rules)
        self.is_seldom = self.needs_attribute and not is_common
        self.residuals: dict[tuple[str, ...], Residual] = {}
        self._by_keys: dict[frozenset[str], Residual] = {}

        self._values = 0

    def learn(self, keys: tuple[str, ...]) -> Residual:
        """Return what is still to be asked of items with these keys, and remember it."""
        read = self._read.intersection(keys)
        residual = self._by_keys.get(read)
        if residual is None:
            if len(self._by_keys) >= _SHAPES_KEPT:
                self._by_keys.clear()
            residual = self._by_keys[read] = residual_of(self._rules, read, self._statuses, self._has_kept)
        if sum(map(len, keys)) <= _MAX_SHAPE_CHARS:
            if len(self.residuals) >= _SHAPES_KEPT:
                self.residuals.clear()
            self.residuals[keys] = residual
        return residual

    def _has_kept(self) -> None:
        self._values += 1
        if self._values >= _VALUES_KEPT:
            self.residuals.clear()
            self._by_keys.clear()
            self._values = 0


class Matcher:
    """Finds the rules that an item fits.

    Args:
        rules: All about one kind of item, in the order of the policy.
        is_of_spans: Whether that is spans.
    """

    def __init__(self, rules: Sequence[Rule], *, is_of_spans: bool = False) -> None:
        self.rules = tuple(rules)
        statuses = STATUSES if is_of_spans else _NO_STATUS
        self._buckets: dict[str, _Bucket] = {}
        for kind in KINDS if is_of_spans else ("",):
            found = [possible(at, each, kind, statuses) for at, each in enumerate(self.rules) if _is_about(each, kind)]
            if found:
                self._buckets[kind] = _Bucket(found, statuses, is_common=kind in _COMMON)
        self._names = frozenset[str]().union(*(each.names for each in self._buckets.values()))
        self._needs_attribute = all(each.needs_attribute for each in self._buckets.values())

    def span(self, outline: Outline, attributes: Attributes) -> Sequence[Possible]:
        """Return the rules that a span may fit, and what is still to be asked of it; see `fitting`.

        Args:
            outline: Its kind, status and duration.
            attributes: Its attributes.
        """
        kind, status, took_ns = outline
        bucket = self._buckets.get(kind)
        # Of most spans nothing more is asked, and of most others no value.
        if bucket is None or (bucket.is_seldom and bucket.names.isdisjoint(attributes)):
            return _NOTHING
        keys = tuple(attributes)
        part = (bucket.residuals.get(keys) or bucket.learn(keys)).get(status)
        if part is None or took_ns < part.least_ns:
            return _NOTHING
        # What `Part.left` does where it remembers; the call would take a tenth of all this.
        memory, left = part.memory, None
        try:
            values = memory.values_of(attributes)
            if memory.number == NO_NUMBER or (memory.number >= 0 and type(values[memory.number]) is int):
                left = memory.known.get(values)
        except TypeError:  # a value that cannot be a key
            pass
        if left is None:
            left = part.left(attributes)
        return left.rules if took_ns >= left.least_ns else _NOTHING

    def other(self, name: str, attributes: Attributes, facts: ItemFacts) -> list[Rule]:
        """Return the rules that a span event or log record of this name fits."""
        bucket = self._buckets.get("")
        if bucket is None or (bucket.is_seldom and bucket.names.isdisjoint(attributes)):
            return []
        keys = tuple(attributes)
        part = (bucket.residuals.get(keys) or bucket.learn(keys)).get("")
        if part is None:
            return []
        return [each.rule for each in part.left(attributes).rules if all_hold(each.rest, name, attributes, facts)]

    def may_fit(self, name: str, keys: Collection[str]) -> bool:
        """Return whether an item of this name, with attributes of these keys, may fit a rule."""
        if self._needs_attribute and self._names.isdisjoint(keys):
            return False
        return any_may_fit(self.rules, name, keys)


def fitting(left: Iterable[Possible], attributes: Attributes, facts: SpanFacts) -> list[Rule]:
    """Return those rules of which all that is left to be asked holds of a span."""
    took_ms, name = duration_ms(facts), facts.name
    return [
        each.rule
        for each in left
        if each.least_ms <= took_ms <= each.most_ms and all_hold(each.rest, name, attributes, facts)
    ]


def _is_about(rule: Rule, kind: str) -> bool:
    return all(holds(each, kind) for each in rule.conditions if each.field is Field.KIND) if kind else True


def _needed(rules: Iterable[Possible]) -> tuple[bool, frozenset[str]]:
    """Return whether each of the rules needs an attribute, and the names of those, one of which is there then."""
    needing = [[each for each in rule.own if each.operator not in NEEDS_NOTHING] for rule in rules]
    return all(needing), frozenset(name for each in needing if each for name in names_of(each[0].key))
