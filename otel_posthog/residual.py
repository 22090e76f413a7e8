"""Residual rules: what is still to be asked of items whose attributes have the same keys, for each set of keys once.

Comes in: rules taken apart, and a set of keys. Goes out, for each status: the rules that are possible, from how long on
one is, which attributes' values decide, and what the rules say of values that were seen before. Of values as long as
256 characters together, and of 1,024 of them; where there are more, the attribute that has most is looked at each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from otel_posthog.conventions import VARIED, is_told_by, names_of, read_by_either_name
from otel_posthog.model import Attributes
from otel_posthog.rules import Condition, Field, Operator, Rule, holds

_VALUES_KEPT, _MAX_KEPT_CHARS = 1024, 256
_REMEMBERED = frozenset({str, int})
NO_NUMBER, _NUMBERS = -1, -2
_MS_IN_NS = 1_000_000
_FIRST_ASKED = (Field.NAME, Field.SPAN_NAME, Field.ATTRIBUTE)


class Possible(NamedTuple):
    """A rule, and what is still to be asked.

    Attributes:
        rank: Its place in the policy.
        rule: The rule.
        own: What is to hold of attributes.
        rest: What else is to hold.
        statuses: Of which status a span is.
        least_ms: How long it took at least.
        most_ms: How long it took at most.
    """

    rank: int
    rule: Rule
    own: tuple[Condition, ...]
    rest: tuple[Condition, ...]
    statuses: Sequence[str]
    least_ms: float
    most_ms: float


class Left(NamedTuple):
    """What is left to be asked.

    Attributes:
        rules: Those that are possible.
        least_ns: From how long on one of them is.
    """

    rules: Sequence[Possible]
    least_ns: float


def _least_ns(rules: Iterable[Possible]) -> float:
    """Return from how long on one of the rules may be about a span: a little less, as milliseconds are not whole."""
    least_ms = min((each.least_ms for each in rules), default=math.inf)
    return int(least_ms * _MS_IN_NS) - 1 if math.isfinite(least_ms) else least_ms


def possible(rank: int, rule: Rule, kind: str, statuses: Sequence[str]) -> Possible:
    """Return `rule` taken apart, for spans of `kind`, or for items of which there is none."""
    by_field = {
        field: [each for each in rule.conditions if each.field is field] if kind else []
        for field in (Field.KIND, Field.STATUS, Field.DURATION)
    }
    own = [each for each in rule.conditions if each.field is Field.ATTRIBUTE]
    asked = {*own, *(each for found in by_field.values() for each in found)}
    rest = sorted((each for each in rule.conditions if each not in asked), key=_cost)
    theirs = [status for status in statuses if all(holds(each, status) for each in by_field[Field.STATUS])]
    on_time = by_field[Field.DURATION]
    least = max((each.number for each in on_time if each.operator is Operator.AT_LEAST), default=-math.inf)
    most = min((each.number for each in on_time if each.operator is Operator.AT_MOST), default=math.inf)
    return Possible(rank, rule, tuple(own), tuple(rest), theirs, least, most)


def names_read(rule: Possible) -> set[str]:
    """Return the names of all attributes that may be read for `rule`."""
    return {name for each in rule.own for name in names_of(each.key)}


class _Memory:
    """What rules say of values that were seen.

    Args:
        names: The attributes, of which items have all.
        rules: What is asked.
    """

    def __init__(self, names: Sequence[str], rules: Sequence[Possible]) -> None:
        self.names, self.rules = tuple(names), rules
        # Of a single name, `itemgetter` would return no tuple.
        self.values_of: Callable[[Attributes], tuple[object, ...]] = (
            itemgetter(*self.names, self.names[0]) if self.names else lambda _: ()
        )
        self.known: dict[tuple[object, ...], Left] = {}
        # Where numbers were seen: True is 1 to a dictionary, and 1.0. Most have one place, which is looked at fastest.
        self.numbers: tuple[int, ...] = ()
        self.number = NO_NUMBER

    def most_varied(self) -> str:
        """Return the name of which most values were seen."""
        values = zip(*self.known, strict=True)
        return max(zip(self.names, values, strict=False), key=lambda each: len(set(each[1])))[0]


class Part:
    """What is asked of items of one status.

    Args:
        rules: Those that are possible.
        keys: The keys that the items have, of those that are read.
        has_kept: Called when what rules say of values is remembered.
    """

    def __init__(self, rules: Sequence[Possible], keys: frozenset[str], has_kept: Callable[[], None]) -> None:
        self.least_ns = _least_ns(rules)
        self._keys, self._has_kept = keys, has_kept
        names = dict.fromkeys(
            name for rule in rules for each in rule.own for name in is_told_by(each.key, keys) if name not in VARIED
        )
        self.memory = _Memory(tuple(names), rules)

    def left(self, attributes: Attributes) -> Left:
        """Return the rules that are possible with these attributes, and what is still to be asked for each."""
        memory = self.memory
        values = memory.values_of(attributes)
        try:
            known = memory.known.get(values)
        except TypeError:  # a value that cannot be a key
            return self._asked(attributes)
        if known is None:
            return self._learn(memory, values, attributes)
        return known if all(type(values[at]) is int for at in memory.numbers) else self._asked(attributes)

    def _learn(self, memory: _Memory, values: tuple[object, ...], attributes: Attributes) -> Left:
        is_short = sum(len(each) for each in values if isinstance(each, str)) <= _MAX_KEPT_CHARS
        if not is_short or not _REMEMBERED.issuperset(map(type, values)):
            return self._asked(attributes)
        if len(memory.known) >= _VALUES_KEPT:
            varied = memory.most_varied()
            self.memory = memory = _Memory([each for each in memory.names if each != varied], memory.rules)
            return self._asked(attributes)
        numbers = (at for at, each in enumerate(values[: len(memory.names)]) if type(each) is int)
        memory.numbers = tuple(dict.fromkeys((*memory.numbers, *numbers)))
        if memory.numbers:
            memory.number = memory.numbers[0] if len(memory.numbers) == 1 else _NUMBERS
        left = memory.known[values] = self._asked(attributes, frozenset(memory.names))
        self._has_kept()
        return left

    def _asked(self, attributes: Attributes, names: frozenset[str] | None = None) -> Left:
        """Return the rules that hold of these attributes; with `names`, as far as the values of those say it."""
        left = []
        for rule in self.memory.rules:
            known = [each for each in rule.own if names is None or names.issuperset(is_told_by(each.key, self._keys))]
            if all(holds(each, read_by_either_name(attributes, each.key)) for each in known):
                later = tuple(each for each in rule.own if each not in known)
                left.append(rule._replace(rest=(*later, *rule.rest)))
        return Left(left, _least_ns(left))


Residual = Mapping[str, Part]
"""By the status of a span, what is still to be asked; nothing of one that is not in it."""


def residual_of(
    rules: Iterable[Possible], keys: frozenset[str], statuses: Iterable[str], has_kept: Callable[[], None]
) -> Residual:
    """Return what is still to be asked of items that have these keys, of those that are read."""
    there = []
    for rule in rules:
        own = tuple(each for each in rule.own if is_told_by(each.key, keys))
        if all(holds(each, None) for each in rule.own if each not in own):
            there.append(rule._replace(own=own))
    by_status = {status: [each for each in there if status in each.statuses] for status in statuses}
    return {status: Part(found, keys, has_kept) for status, found in by_status.items() if found}


def _cost(condition: Condition) -> int:
    return _FIRST_ASKED.index(condition.field) if condition.field in _FIRST_ASKED else len(_FIRST_ASKED)
