"""An item in, the lines of a policy that make a rule of it out, and that policy: nothing is saved.

A rule is made of what leaves of an item anyway, so that it repeats no value of somebody's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import yaml

from otel_posthog.conventions import read_by_either_name
from otel_posthog.inspection.requests import ROUTE_METHOD, Request, is_route, rule_of, status_like
from otel_posthog.inspection.rule_lines import rule_lines
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.model import UNSHOWN_KEY, shown_path
from otel_posthog.policy import DeriveConditions, DeriveKind, DeriveRule, Policy, ValueCondition
from otel_posthog.policy.derive_checks import FEW_VALUES, derive_problems
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.privacy.exceptions import NEVER

DERIVE, ALLOW, SENSITIVE_KEY = "derive", "allow", "sensitive_key"
_METHOD, _ROUTE = ROUTE_METHOD
_NAMING = tuple(sorted(FEW_VALUES - {_METHOD, "error.type"}))
_VALUE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]{0,63}")
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_MAX_NAME_CHARS = 30


class RuleError(Exception):
    """A rule that cannot be made; the message says why, with no value."""


class Made(NamedTuple):
    """A rule.

    Attributes:
        lines: As they are written in a policy.
        policy: The one in force, with it.
        rule: Its name, of one that derives events.
        note: What to know of it; None where nothing.
    """

    lines: str
    policy: Policy
    rule: str = ""
    note: str | None = None


def derive_rule(record: SpanRecord | LogRecord | None, leaving: Mapping[str, object], policy: Policy) -> Made:
    """Return a rule that makes events of items like a span.

    Args:
        record: The span.
        leaving: Those of its attributes that would leave in an event.
        policy: The one in force.

    Raises:
        RuleError: Nothing but a value tells the span from others.
    """
    if not isinstance(record, SpanRecord):
        raise RuleError("events are derived of spans here; of log records, see docs/derive.md")
    taken = {each.name for each in policy.derive if isinstance(each, DeriveRule)}
    named = {key: value for key, value in leaving.items() if record.attributes.get(key) == value}
    method, route = (read_by_either_name(named, key) for key in (_METHOD, _ROUTE))
    if isinstance(method, str) and isinstance(route, str) and is_route(route):
        rule = rule_of(Request(method, route), taken, _kind_of(record), status_like(record))
    elif _ROUTE in leaving and _ROUTE not in named:
        raise RuleError("its route is shown as a filter changed it, which no rule can look for: name the route itself")
    else:
        rule = _by_attributes(record, named, taken)
    if list(derive_problems([rule])):
        raise RuleError("what tells this span from others is no value that a rule may name")
    lines = "derive:\n" + rule_lines(rule) + "\n"
    note = "Give it the name that your team knows it by; a list `derive` that you have gets one more entry."
    return Made(lines, replace(policy, derive=(*policy.derive, rule)), rule.name, note)


def allow_rule(key: str, policy: Policy) -> Made:
    """Return what lets an attribute of telemetry leave.

    Raises:
        RuleError: It never may.
    """
    _check(key)
    if key in NEVER:
        raise RuleError("this attribute never leaves: it holds whatever a program or a person wrote")
    if key in policy.privacy.allow:
        raise RuleError("this attribute is on the allow-list already")
    privacy = replace(policy.privacy, allow=policy.privacy.allow | {key})
    note = "Key rules and detectors still apply to its value."
    return Made(_section("also_allow", key), replace(policy, privacy=privacy), note=note)


def sensitive_rule(key: str, policy: Policy) -> Made:
    """Return what keeps back whatever stands under a key.

    Raises:
        RuleError: Its words are sensitive already.
    """
    _check(key)
    words = " ".join(each.lower() for each in _TOKEN.findall(key.rpartition(".")[2]))
    if not words:
        raise RuleError("this key has no words")
    if words in policy.privacy.sensitive_keys:
        raise RuleError("this key is a sensitive one already")
    privacy = replace(policy.privacy, sensitive_keys=policy.privacy.sensitive_keys | {words})
    note = "It picks every key in which these words stand next to each other, at every destination."
    return Made(_section("also_sensitive_keys", words), replace(policy, privacy=privacy), note=note)


def _kind_of(record: SpanRecord) -> DeriveKind:
    try:
        return DeriveKind(record.kind.lower())
    except ValueError:
        raise RuleError("this span has no kind, and a rule is about spans of a kind") from None


def _by_attributes(record: SpanRecord, leaving: Mapping[str, object], taken: set[str]) -> DeriveRule:
    named = {key: str(leaving[key]) for key in _NAMING if isinstance(leaving.get(key), str)}
    named = {key: value for key, value in named.items() if _VALUE.fullmatch(value)}
    if not named:
        raise RuleError("nothing but values tells this span from others: give it http.route or an attribute of its own")
    words = _NOT_A_WORD.sub("_", "_".join(named.values()).lower()).strip("_")[:_MAX_NAME_CHARS].rstrip("_")
    name, number = words, 2
    while name in taken:
        name, number = f"{words[: _MAX_NAME_CHARS - 2]}{number}", number + 1
    when = DeriveConditions(
        kind=(_kind_of(record),),
        attributes=FrozenMap({key: ValueCondition(equals=value) for key, value in named.items()}),
    )
    return DeriveRule(name, name, when, FrozenMap({"duration_ms": "duration_ms"}))


def _check(key: str) -> None:
    if not key or UNSHOWN_KEY in key or shown_path(key) != key:
        raise RuleError("this key is no name: a rule would repeat what may be somebody's")


def _section(name: str, value: str) -> str:
    return str(yaml.safe_dump({"privacy": {name: [value]}}, default_flow_style=None, sort_keys=False, width=100))
