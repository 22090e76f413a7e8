"""What is well-formed in a rule of the section `derive` and cannot be meant; a part of `checks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

from otel_posthog.conventions import NAME_NOW, OLD_NAMES
from otel_posthog.feature_flags import FLAG_CALLED
from otel_posthog.policy.advice import other_word
from otel_posthog.policy.fields import KeyPath, shortened
from otel_posthog.policy.sections.derive import DeriveConditions, DeriveKind, DeriveRule, DeriveSignal, ValueCondition
from otel_posthog.policy.shipped_rules import GROUPS, WORDS
from otel_posthog.regex import regex

FEW_VALUES = frozenset(
    {
        "db.operation.name",
        "db.system.name",
        "error.type",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "http.request.method",
        "messaging.operation.type",
        "messaging.system",
        "rpc.method",
        "rpc.system",
    }
)
"""Attributes that may stand in the name of an event."""

NEVER_PROPERTIES = frozenset({"db.query.text", "exception.message", "exception.stacktrace"})
"""Attributes that hold whatever a program or a person wrote: no detector finds all that is in them."""

OF_SPANS = frozenset({"duration_ms", "duration_s", "is_slow", "is_error", "span_kind"})
"""What may be listed as a property of a span beside attributes."""

_MARKS = frozenset({"attribute", "event_name", "exception"})
_NAME = regex(r"[a-z][a-z0-9_]{0,31}")
_PROPERTY = regex(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_WHO = frozenset({"distinct_id", "token"})
_MAX_EVENT_BYTES = 100  # with a word for each attribute in it, below what PostHog takes

Found = tuple[KeyPath, str, str]
"""Where something stands, what is wrong, and what to write instead."""


def derive_problems(entries: Sequence[DeriveRule | str]) -> Iterator[Found]:
    """Yield what cannot be meant in the rules, and words that stand for none."""
    names: set[str] = set()
    for index, rule in enumerate(entries):
        path: KeyPath = ("derive", index)
        if isinstance(rule, str):
            if rule not in WORDS:
                yield path, f"rule `{shortened(rule)}` does not exist", other_word(rule, WORDS)
            continue
        if not _NAME.fullmatch(rule.name):
            fix = "write `name:` with lowercase letters, digits and `_`, at most 32"
            yield (*path, "name"), "a rule's name is shown in receipts", fix
        elif rule.name in names or rule.name in _MARKS or rule.name in GROUPS:
            yield (*path, "name"), "another rule has this name", "give each a `name:` of its own"
        names.add(rule.name)
        yield from _event(rule.event, (*path, "event"))
        yield from _when(rule.when, (*path, "when"))
        yield from _result(rule, path)


def _event(event: str, path: KeyPath) -> Iterator[Found]:
    try:
        parts = list(Formatter().parse(event))
    except ValueError:
        parts = [("", "", "", None)]
    # The properties of PostHog's own events cannot be listed; those of a flag's call are made of what is told of it.
    is_posthogs = event.startswith("$") and event != FLAG_CALLED
    if not event.strip() or is_posthogs or len(event.encode("utf-8", "replace")) > _MAX_EVENT_BYTES:
        fix = f"write `event:` and a name of at most {_MAX_EVENT_BYTES} bytes that does not begin with `$`"
        yield path, "an event needs a name of its own", fix
    for _, key, spec, way in parts:
        if key is not None and (key not in FEW_VALUES or spec or way):
            problem = f"`{shortened(key)}` cannot stand in a name: it may have many values"
            yield path, problem, f"use {', '.join(f'{{{each}}}' for each in sorted(FEW_VALUES))}"


def _when(when: DeriveConditions, path: KeyPath) -> Iterator[Found]:
    of_span = {"min_duration_ms": when.min_duration_ms, "max_duration_ms": when.max_duration_ms}
    around = {"kind": when.kind, "status": when.status, "span_name": when.span_name}
    signal = when.signal
    for name, value in {**of_span, **around}.items():
        is_known = signal is DeriveSignal.SPAN or (name in around and signal is DeriveSignal.SPAN_EVENT)
        if value not in (None, ()) and not is_known:
            yield (*path, name), f"a {signal.value} has no {name}", f"leave `{name}` out"
    if when.event_name and signal is DeriveSignal.SPAN:
        yield (*path, "event_name"), "a span has no event_name", "write `span_name`"
    low, high = when.min_duration_ms, when.max_duration_ms
    if low is not None and high is not None and low > high:
        yield (*path, "min_duration_ms"), "min_duration_ms is above max_duration_ms", "swap them"
    said = (*of_span.values(), *around.values(), when.scope, when.event_name)
    given = (when.attributes, when.resource, when.child, when.without_child)
    if all(each in (None, ()) for each in said) and not any(given):
        yield path, "a rule picks everything", "write a condition under `when`"
    for name, values in (("attributes", when.attributes), ("resource", when.resource)):
        yield from _values(values, (*path, name))
    yield from _children(when, path)


_REQUESTS = frozenset({DeriveKind.SERVER, DeriveKind.CONSUMER})


def _children(when: DeriveConditions, path: KeyPath) -> Iterator[Found]:
    for name, child in (("child", when.child), ("without_child", when.without_child)):
        here = (*path, name)
        if child and (when.signal is not DeriveSignal.SPAN or not _REQUESTS.issuperset(when.kind)):
            yield here, "only a request has children: a span of the kinds server and consumer", f"leave `{name}` out"
        for key in child:
            yield from _key(key, (*here, key))


def _values(values: Mapping[str, ValueCondition], path: KeyPath) -> Iterator[Found]:
    for key, value in values.items():
        here = (*path, key)
        yield from _key(key, here)
        if key.startswith("analytics."):
            yield here, f"`{shortened(key)}` is of the product side", "name an attribute of the telemetry"
        given = [each for each in (value.equals, value.prefix, value.min, value.max, value.present) if each is not None]
        if not given and not (value.one_of or value.glob or value.not_glob):
            yield here, f"nothing is said of `{shortened(key)}`", "write e.g. `{present: true}`"
        if value.present is False and (len(given) > 1 or value.one_of or value.glob or value.not_glob):
            yield here, "what is not there has no value", "leave the rest out, or `present: false`"
        if value.min is not None and value.max is not None and value.min > value.max:
            yield (*here, "min"), "min is above max", "swap them"


def _result(rule: DeriveRule, path: KeyPath) -> Iterator[Found]:
    for name, key in rule.properties.items():
        here = (*path, "properties", name)
        if not _PROPERTY.fullmatch(name) or name in _WHO:
            problem = f"`{shortened(name)}` cannot be the name of a property"
            yield here, problem, "use letters, digits and `_`, at most 64; `user` and `session` say who"
        if key in NEVER_PROPERTIES or NAME_NOW.get(key) in NEVER_PROPERTIES:
            yield here, f"`{shortened(key)}` is never sent: it holds whatever was written", "leave it out"
        elif key.startswith("analytics."):
            yield here, f"`{shortened(key)}` is of the product side", "name an attribute of the telemetry"
        elif key in OF_SPANS and rule.when.signal is not DeriveSignal.SPAN:
            yield here, f"a {rule.when.signal.value} has no {key}", "leave it out"
        elif key == "is_slow" and rule.slow_ms is None:
            yield here, "nothing says what is slow", "write `slow_ms:` and a number of milliseconds"
        else:
            yield from _key(key, here)
    for field, named in (("user", rule.user), ("session", rule.session)):
        if named is not None:
            yield from _key(named, (*path, field))


def _key(key: str, path: KeyPath) -> Iterator[Found]:
    now = NAME_NOW.get(key)
    if now is not None and key not in OLD_NAMES:
        yield path, f"`{key}` is an older name", f"write `{now}`, which finds both"
