"""A rule tried on the last items: how many it would change, and some of them. Nothing is sent, counted or saved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.inspection.form import Values
from otel_posthog.inspection.made_rules import (
    ALLOW,
    DERIVE,
    SENSITIVE_KEY,
    Made,
    RuleError,
    allow_rule,
    derive_rule,
    sensitive_rule,
)
from otel_posthog.inspection.operational import OperationalSide
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import Signal
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.stages import Stages

MAX_EXAMPLES = 5
_INSTALLATION = "installation"
_Sent = tuple[str, dict[str, object]]


class Item(NamedTuple):
    """One item that a rule is tried on.

    Attributes:
        seq: Its number.
        record: The span or log record; None where none is known.
        signals: The product events that it is.
    """

    seq: int
    record: SpanRecord | LogRecord | None
    signals: Sequence[Signal]


class Change(NamedTuple):
    """What a rule does to one item.

    Attributes:
        seq: The item's number.
        name: The event's.
        change: In words.
        before: What PostHog got under `key`; None where it got nothing.
        after: What it would get.
        key: A property that changes; empty of an event that is new.
        keys: All that do, of this event.
    """

    seq: int
    name: str
    change: str
    before: object = None
    after: object = None
    key: str = ""
    keys: tuple[str, ...] = ()


class Trial:
    """Tries rules.

    Args:
        policy: The one in force.
        side: Says what leaves of an item.
        values: Whether examples have some.
    """

    def __init__(self, policy: Policy, side: OperationalSide, values: Values) -> None:
        self._policy, self._side, self._values = policy, side, values

    def answer(self, kind: str, key: str, of: Item, items: Iterable[Item]) -> dict[str, object]:
        """Return the lines of a rule, and what it would do to `items`.

        Args:
            kind: `derive`, `allow` or `sensitive_key`.
            key: What the last two are about.
            of: What it is made of.
            items: What it is tried on.

        Raises:
            RuleError: None can be made.
        """
        made, given = self._made(kind, key, of), list(items)
        if kind == DERIVE and of.record is not None and not self._derived(made, [of]):
            raise RuleError("nothing that may stand in a policy tells this span from others")
        found = self._derived(made, given) if kind == DERIVE else self._changed(made, key, given)
        changes = [each for each in found if each.change]
        matched, changed = ({each.seq for each in some} for some in (found, changes))
        return {
            "policy": made.lines,
            "effect": {"matched": len(matched), "changed": len(changed), "of": len(given)},
            "examples": [self._form(each) for each in changes[-MAX_EXAMPLES:]],
            "note": made.note,
        }

    def _made(self, kind: str, key: str, of: Item) -> Made:
        if kind == DERIVE:
            if of.signals:
                raise RuleError("this item is a product event already")
            side = self._side.of(of.record) if of.record is not None else None
            return derive_rule(of.record, side.leaving if side else {}, self._policy)
        if kind == ALLOW:
            return allow_rule(key, self._policy)
        if kind == SENSITIVE_KEY:
            return sensitive_rule(key, self._policy)
        raise RuleError("there is no such kind of rule")

    def _derived(self, made: Made, items: list[Item]) -> list[Change]:
        recogniser = Recogniser(made.policy)
        return [
            Change(item.seq, each.name, "becomes an event")
            for item in items
            if item.record is not None
            for each in record_signals(item.record, recogniser)
            if each.rule == made.rule
        ]

    def _changed(self, made: Made, key: str, items: list[Item]) -> list[Change]:
        """Return what becomes of each event that has the key, or changes: a rule picks keys by their words."""
        old, new = self._stages(self._policy), self._stages(made.policy)
        found: list[Change] = []
        for item in items:
            for signal in item.signals:
                # Of several destinations, one stands for the event.
                told = dict[str, Change]()
                for before, after in zip(_sent(old, signal), _sent(new, signal), strict=False):
                    change = _change(item.seq, key, before, after)
                    if change is not None and not (change.name in told and told[change.name].change):
                        told[change.name] = change
                found += told.values()
        return found

    def _stages(self, policy: Policy) -> Stages:
        return Stages(
            policy,
            installation_id=_INSTALLATION,
            health=Health(),
            guard=Guard(Health()),
            pseudonyms=Pseudonyms(),
            destinations=policy.destinations,
        )

    def _form(self, change: Change) -> dict[str, object]:
        is_all = self._values is Values.ALL
        return {
            "seq": change.seq,
            "name": change.name,
            "change": change.change,
            "key": change.key or None,
            "keys": list(change.keys),
            "before": change.before if is_all else None,
            "after": change.after if is_all else None,
        }


def _sent(stages: Stages, signal: Signal) -> list[_Sent]:
    """Return name and properties of what each destination gets of a signal."""
    bodies = [json.loads(each.clean.body) if each.clean else None for each in stages.outcomes(signal)]
    return [("", {}) if body is None else (body["event"], body["properties"]) for body in bodies]


def _change(seq: int, key: str, before: _Sent, after: _Sent) -> Change | None:
    """Return what becomes of an event at one destination; None where the rule is not about it."""
    (name, had), (other, has) = before, after
    keys = [each for each in {**had, **has} if each not in had or each not in has or had[each] != has[each]]
    if not keys and key not in had:
        return None
    shown = key if key in keys or not keys else keys[0]
    return Change(seq, name or other, _in_words(shown, had, has), had.get(shown), has.get(shown), shown, tuple(keys))


def _in_words(key: str, had: dict[str, object], has: dict[str, object]) -> str:
    """Return what changes; empty where nothing does."""
    if key not in had:
        return "is sent"
    if key not in has:
        return "is no longer sent"
    return "is replaced" if had[key] != has[key] else ""
