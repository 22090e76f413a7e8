"""Which of many rules an item fits: what it has least of is asked first, so that most items are asked next to nothing.

Rules are found by the kind of a span, then by an attribute that they need, then by its value: what the rules say of a
value is remembered, as routes, methods and systems are few. Only then anything else is read. Runs on the app's threads,
on every span and log record of an app whose policy derives events; several may ask at once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from otel_posthog.conventions import names_of, read_by_either_name
from otel_posthog.model import Attributes
from otel_posthog.rules import (
    NEEDS_NOTHING,
    Condition,
    Field,
    ItemFacts,
    Operator,
    Rule,
    all_hold,
    any_may_fit,
    duration_ms,
    holds,
)

KINDS = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
_NO_STATUS = ("",)

# Of one attribute that rules need: 1,024 values of 256 characters.
_VALUES_KEPT, _MAX_KEPT_CHARS = 1024, 256
_EXACT = frozenset({Operator.IS, Operator.ONE_OF})


class _Candidate(NamedTuple):
    """A rule, and what is still to be asked.

    Attributes:
        least_ms: How long a span took at least.
        rank: Its place in the policy.
        most_ms: How long it took at most.
        is_timed: Whether that matters.
        rest: What else is to hold.
        rule: The rule.
    """

    least_ms: float
    rank: int
    most_ms: float
    is_timed: bool
    rest: tuple[Condition, ...]
    rule: Rule


_Left = Mapping[str, tuple[_Candidate, ...]]
"""By the status of a span, what is still to be asked; the shortest spans first."""

_NONE: _Left = {}


class _Entry(NamedTuple):
    """A rule, taken apart.

    Attributes:
        candidate: The rule.
        own: Its conditions on the attribute by which it is found.
        statuses: Those that it is about.
    """

    candidate: _Candidate
    own: tuple[Condition, ...]
    statuses: Collection[str]


class _Group:
    """The rules that are found by one attribute."""

    def __init__(self, key: str, entries: Sequence[_Entry], statuses: Sequence[str]) -> None:
        self.key, self._entries, self._statuses = key, entries, statuses
        self.known: dict[object, _Left | None] = {None: self.left(None)}

    def learn(self, name: str, raw: object, known: dict[object, _Left | None]) -> _Left | None:
        """Return what is left to be asked where `raw` stands under `name`; None where it says nothing there."""
        value = read_by_either_name({name: raw}, self.key)
        left = None if value is None else self.left(value)
        # True is 1 to a dictionary.
        if type(raw) is int or (type(raw) is str and len(raw) <= _MAX_KEPT_CHARS):
            if len(known) >= _VALUES_KEPT:
                known.clear()
            known[raw] = left
        elif raw is None:
            left = known[raw] = self.left(None)
        return left

    def left(self, value: object) -> _Left:
        """Return what is left to be asked of an item with this value, or with none."""
        fitting = [each for each in self._entries if all(holds(condition, value) for condition in each.own)]
        return _by_status(fitting, self._statuses) if fitting else _NONE


_Reader = tuple[str, "dict[object, _Left | None]", _Group]
"""A name of an attribute, what is known of its values, and whose rules are found by it."""

_UNKNOWN: _Left = {}
_REMEMBERED = frozenset({str, int})


class _Bucket(NamedTuple):
    """The rules about one kind of span, or about all span events or log records.

    Attributes:
        names: The names of the attributes that they need.
        readers: Those who need an attribute, by each of its names, the present one first.
        lenient: Those who ask for an attribute that need not be there.
        always: Those who ask for none.
    """

    names: frozenset[str]
    readers: tuple[_Reader, ...]
    lenient: tuple[_Group, ...]
    always: _Left

    @property
    def needs_attribute(self) -> bool:
        return not self.lenient and not self.always

    def left(self, attributes: Attributes) -> list[_Left]:
        """Return what is left to be asked of an item with these attributes."""
        left, done = [self.always] if self.always else [], None
        get = attributes.get
        for name, known, group in self.readers:
            raw = get(name)
            if raw is None or group is done:
                continue
            its = known.get(raw, _UNKNOWN) if type(raw) in _REMEMBERED else _UNKNOWN
            if its is _UNKNOWN:
                its = group.learn(name, raw, known)
            if its is None:
                continue
            done = group
            if its:
                left.append(its)
        for group in self.lenient:
            value = read_by_either_name(attributes, group.key)
            its = group.known.get(value) if value is None or type(value) in _REMEMBERED else None
            if its is None:
                its = group.learn(group.key, value, group.known) or _NONE
            if its:
                left.append(its)
        return left


class Matcher:
    """Finds the rules that an item fits.

    Args:
        rules: All about one kind of item, in the order of the policy.
        is_of_spans: Whether that is spans.
    """

    def __init__(self, rules: Sequence[Rule], *, is_of_spans: bool = False) -> None:
        self.rules = tuple(rules)
        kinds = KINDS if is_of_spans else ("",)
        statuses = STATUSES if is_of_spans else _NO_STATUS
        made = {kind: _bucket(enumerate(self.rules), kind, statuses) for kind in kinds}
        self._buckets = {kind: each for kind, each in made.items() if each.names or not each.needs_attribute}
        self._names = frozenset[str]().union(*(each.names for each in self._buckets.values()))
        self._needs_attribute = all(each.needs_attribute for each in self._buckets.values())

    def span(self, kind: str, attributes: Attributes, facts: Any) -> Sequence[Rule]:
        """Return the rules that a span of `kind` fits.

        Args:
            kind: `INTERNAL`, `SERVER`, `CLIENT`, `PRODUCER` or `CONSUMER`.
            attributes: Its attributes.
            facts: What else may be asked of it.
        """
        bucket = self._buckets.get(kind)
        # Of most spans nothing more is asked.
        if bucket is None:
            return ()
        left = bucket.left(attributes)
        if not left:
            return ()
        status, took_ms = facts.status_code, -1.0
        found: list[tuple[int, Rule]] = []
        for each in left:
            for candidate in each.get(status, ()):
                if candidate.is_timed:
                    took_ms = duration_ms(facts) if took_ms < 0 else took_ms
                    if candidate.least_ms > took_ms:
                        break
                    if candidate.most_ms < took_ms:
                        continue
                if all_hold(candidate.rest, facts.name, attributes, facts):
                    found.append((candidate.rank, candidate.rule))
        return _in_order(found)

    def other(self, name: str, attributes: Attributes, facts: ItemFacts) -> Sequence[Rule]:
        """Return the rules that a span event or log record of this name fits."""
        bucket = self._buckets.get("")
        left = [] if bucket is None else bucket.left(attributes)
        found = [
            (each.rank, each.rule)
            for by_status in left
            for each in by_status.get("", ())
            if all_hold(each.rest, name, attributes, facts)
        ]
        return _in_order(found)

    def may_fit(self, name: str, keys: Collection[str]) -> bool:
        """Return whether an item of this name, with attributes of these keys, may fit a rule."""
        if self._needs_attribute and self._names.isdisjoint(keys):
            return False
        return any_may_fit(self.rules, name, keys)


def _in_order(found: list[tuple[int, Rule]]) -> Sequence[Rule]:
    if len(found) > 1:
        found.sort(key=lambda each: each[0])
    return [rule for _, rule in found]


def _bucket(rules: Iterable[tuple[int, Rule]], kind: str, statuses: Sequence[str]) -> _Bucket:
    needed, lenient = dict[str, list[_Entry]](), dict[str, list[_Entry]]()
    always: list[_Entry] = []
    for rank, rule in rules:
        key, needs = _found_by(rule.conditions)
        entry = _entry(rank, rule, kind, statuses, key)
        if entry is None:
            continue
        if key is None:
            always.append(entry)
        else:
            (needed if needs else lenient).setdefault(key, []).append(entry)
    groups = [_Group(key, entries, statuses) for key, entries in needed.items()]
    return _Bucket(
        frozenset(name for group in groups for name in names_of(group.key)),
        tuple((name, {}, group) for group in groups for name in names_of(group.key)),
        tuple(_Group(key, entries, statuses) for key, entries in lenient.items()),
        _by_status(always, statuses) if always else _NONE,
    )


def _entry(rank: int, rule: Rule, kind: str, statuses: Sequence[str], key: str | None) -> _Entry | None:
    """Return a rule taken apart; None where it is not about this kind of span."""
    conditions = rule.conditions
    of_span = {
        field: [each for each in conditions if each.field is field] if kind else []
        for field in (Field.KIND, Field.STATUS, Field.DURATION)
    }
    if not all(holds(each, kind) for each in of_span[Field.KIND]):
        return None
    own = [each for each in conditions if each.field is Field.ATTRIBUTE and each.key == key]
    asked = {*own, *(each for found in of_span.values() for each in found)}
    rest = tuple(sorted((each for each in conditions if each not in asked), key=_cost))
    on_time = of_span[Field.DURATION]
    least = max((each.number for each in on_time if each.operator is Operator.AT_LEAST), default=-math.inf)
    most = min((each.number for each in on_time if each.operator is Operator.AT_MOST), default=math.inf)
    theirs = [status for status in statuses if all(holds(each, status) for each in of_span[Field.STATUS])]
    return _Entry(_Candidate(least, rank, most, bool(on_time), rest, rule), tuple(own), theirs)


def _found_by(conditions: Iterable[Condition]) -> tuple[str | None, bool]:
    """Return the attribute by which a rule is found, best one of which it names a value, and whether it needs it."""
    on_attribute = [each for each in conditions if each.field is Field.ATTRIBUTE]
    if not on_attribute:
        return None, False
    first = min(on_attribute, key=lambda each: (each.operator in NEEDS_NOTHING, each.operator not in _EXACT))
    return first.key, first.operator not in NEEDS_NOTHING


def _cost(condition: Condition) -> int:
    return (Field.NAME, Field.SPAN_NAME, Field.ATTRIBUTE).index(condition.field) if condition.field in _CHEAP else 3


_CHEAP = frozenset({Field.NAME, Field.SPAN_NAME, Field.ATTRIBUTE})


def _by_status(entries: Iterable[_Entry], statuses: Sequence[str]) -> _Left:
    made = {
        status: tuple(sorted((each.candidate for each in entries if status in each.statuses), key=_least))
        for status in statuses
    }
    return {status: found for status, found in made.items() if found}


def _least(candidate: _Candidate) -> float:
    return candidate.least_ms
