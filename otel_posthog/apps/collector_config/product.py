"""The product side's processors: what may go to the gateway, which filters it, and exactly.

On the way to the gateway nothing is looked for inside values: what a regular expression does to a text, the gateway
cannot take back, and what is left of a secret it may no longer recognise. Where events rest in between, in Kafka, the
operational side's redaction is done to them as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from otel_posthog.actor.attributes import CHOICE_KEYS, SESSION_ID_KEYS, USER_ID_KEYS, WINDOW_ID_KEYS
from otel_posthog.apps.collector_config.attribute import FALSE, TRUE, all_hold, any_holds, like_any, negated
from otel_posthog.apps.collector_config.derive import CONTEXTS, Derived, asks, reads_exceptions, without_refused
from otel_posthog.apps.collector_config.keys import HOMES, NAMES
from otel_posthog.apps.collector_config.operational import KEY, redaction
from otel_posthog.apps.collector_config.ottl import (
    any_of,
    delete_keys,
    group,
    hold,
    is_match,
    keep_keys,
    none_of,
    put_back,
    quoted,
)
from otel_posthog.apps.collector_config.shortened import ADDRESSES, shortened
from otel_posthog.apps.collector_config.types import mark, unmark
from otel_posthog.model import PROCESSED, Source
from otel_posthog.policy import Policy
from otel_posthog.recogniser import CONTENT_UID, EVENT, EXCEPTION, EXCEPTION_TYPE, PREFIX, RECORD_UID_KEY, Recogniser
from otel_posthog.rules import Field
from otel_posthog.translate.vocabulary import TIMESTAMP_KEY, UUID_KEY

_UUID = r"^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\z"
# A UUID, a ULID (which the semantic conventions recommend), or what is made below.
_UID = rf"{_UUID}|^[0-9A-HJKMNP-TV-Z]{{26}}\z|^{re.escape(CONTENT_UID)}[0-9a-f]{{64}}\z"
# RFC 3339, or nanoseconds.
_TIME = (
    r"^(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r" ?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2}(?::?[0-9]{2})?)\z|^1[0-9]{18}\z"
)
_SHAPES = ((UUID_KEY, _UUID), (RECORD_UID_KEY, _UID), (TIMESTAMP_KEY, _TIME))


def product_processors(policy: Policy) -> dict[str, Any]:
    """Return the processors of the product side, by name, in the order in which they are to stand."""
    side = _Side(policy)
    return {**_kept(side), "transform/product_before": _before(side)}


def kafka_processors(policy: Policy) -> dict[str, Any]:
    """Return the processors that stand behind those of the product side where events rest in Kafka, in their order."""
    ignored = [UUID_KEY, TIMESTAMP_KEY, RECORD_UID_KEY, *_identity(policy)]

    def around(statements: Callable[[str], Iterable[str]]) -> dict[str, Any]:
        spans = [group(context, statements(context)) for context in ("resource", "span", "spanevent")]
        logs = [group(context, statements(context)) for context in ("resource", "log")]
        return {"error_mode": "propagate", "trace_statements": spans, "log_statements": logs}

    def before(context: str) -> list[str]:
        attributes = f"{context}.attributes"
        return [keep_keys(attributes, NAMES), delete_keys(attributes, HOMES), *hold(context), *mark(context)]

    def after(context: str) -> list[str]:
        return [*unmark(context), *put_back(context)]

    return {
        # Attributes of links can be neither read nor changed here.
        "filter/kafka": {"error_mode": "propagate", "traces": {"span": ["Len(links) > 0"]}},
        "transform/kafka_before": around(before),
        **redaction("kafka", policy, ids=_id_keys(policy), ignored=ignored),
        "transform/kafka_after": around(after),
    }


def _identity(policy: Policy) -> list[str]:
    """Return the keys that say who; none where no destination sends more than the installation's id."""
    modes = {policy.identity_of(each) for each in policy.destinations}
    return (
        [] if not any(mode.tells_users_apart for mode in modes) else [*USER_ID_KEYS, *SESSION_ID_KEYS, *WINDOW_ID_KEYS]
    )


def _id_keys(policy: Policy) -> frozenset[str]:
    """Return the words of ids that no destination may get."""
    of_each = [policy.privacy_of(each).id_keys for each in policy.destinations]
    return of_each[0].intersection(*of_each)


class _Side:
    """What a policy has to say of the product side.

    Attributes:
        policy: The policy, without the rules that cannot be kept here.
        identity: The keys that say who; none where nobody gets them.
        derived: The rules that make events of unmarked items, by their kind.
        marks: What an item is to be for it to be an event without such a rule, by its kind.
        inside: What an event of a span is to be where that span is an event itself.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = without_refused(policy)
        self.identity = _identity(policy)
        self.derived = {each: Derived(self.policy, each, tells_users_apart=bool(self.identity)) for each in Source}
        recogniser = Recogniser(replace(policy, derive=()))
        self.marks = {
            each: [rule.conditions for rule in recogniser.of(each) if not rule.is_inside_product] for each in Source
        }
        self.inside = [rule.conditions for rule in recogniser.of(Source.SPAN_EVENT) if rule.is_inside_product]

    def no_event(self, source: Source, marked: str) -> str:
        """Return the condition that no rule makes an event of an item; `marked` says that a mark does."""
        return f"{marked} and {negated(self.derived[source].may_be())}" if self.derived[source] else marked


def _kept(side: _Side) -> dict[str, Any]:
    """Return the filter that lets go what is no product event."""
    # What an app with this package exports is no event any more, whatever it has on it.
    done = [f'resource.attributes["{PROCESSED}"] != nil']
    spans, events, logs = (side.marks[each] for each in (Source.SPAN, Source.SPAN_EVENT, Source.LOG))
    kept = any_holds([any_of(events), *_inside(side)])
    return {
        "filter/product": {
            "error_mode": "propagate",
            "traces": {"spanevent": [side.no_event(Source.SPAN_EVENT, negated(kept))]},
            "logs": {"log_record": [*done, side.no_event(Source.LOG, f"not ({any_of(logs, 'log.')})")]},
        },
        "filter/product_spans": {
            "error_mode": "propagate",
            "traces": {"span": [*done, f"{side.no_event(Source.SPAN, none_of(spans))} and Len(events) == 0"]},
        },
    }


def _inside(side: _Side) -> Iterator[str]:
    """Yield the conditions that an event of a span is needed for what the span is."""
    spans = side.derived[Source.SPAN]
    if side.inside:
        is_product = any_holds([f'span.attributes["{EVENT}"] != nil', spans.may_be()])
        yield all_hold([f"({any_of(side.inside)})", is_product])
    failed = spans.may_be(reads_exceptions)
    if failed != FALSE:
        yield all_hold([f'name == "{EXCEPTION}"', "span.status.code == STATUS_CODE_ERROR", failed])


def _checked(attributes: str, key: str, pattern: str) -> str:
    """Return the statement that takes a value out that is not what its key says."""
    field = f'{attributes}["{key}"]'
    return f'delete_key({attributes}, "{key}") where {field} != nil and not {is_match(field, pattern)}'


def _keyed_uid() -> dict[str, Any]:
    """Return the statement that gives a log record a uid by a key, while all that was received is still there.

    By a key the same record has the same uid again. What has a NaN in it has no text, nor such a uid. That is not said,
    since a Collector says a statement that fails, with the key that is in it.
    """
    fields = ("trace_id.string", "span_id.string", "event_name", "time_unix_nano", "observed_time_unix_nano")
    parts = [f"log.{field}" for field in fields]
    parts += [f"String({field})" for field in ("log.attributes", "log.body", "resource.attributes")]
    inner = f'SHA256(Concat(["{KEY}", {", ".join(parts)}], "|"))'
    keyed = f'Concat(["{CONTENT_UID}", SHA256(Concat(["{KEY}", {inner}], "|"))], "")'
    return {**group("log", [f'set({_RECORD_UID}, {keyed}) where "{KEY}" != "" and {_NO_UID}']), "error_mode": "silent"}


_RECORD_UID = f'log.attributes["{RECORD_UID_KEY}"]'
_NO_UID = f'{_RECORD_UID} == nil and log.attributes["{UUID_KEY}"] == nil'
_RANDOM_UID = f"set({_RECORD_UID}, UUID()) where {_NO_UID}"
"""A bare hash instead would let whoever guesses what is taken off behind it see that it was there."""


def _before(side: _Side) -> dict[str, Any]:
    allowed = [*side.policy.privacy.allow, EXCEPTION_TYPE, RECORD_UID_KEY]
    needed = [*allowed, *CHOICE_KEYS, *side.identity]
    item = _keys(needed, PREFIX)
    # The mark of an app with this package is left for the gateway, where somebody lets such items through.
    read = {name for each in side.derived.values() for name in each.resource_names()}
    resource = group(
        "resource",
        [keep_keys("resource.attributes", _keys([*allowed, PROCESSED, *read])), 'set(resource.schema_url, "")'],
    )

    def only(source: Source, *statements: str) -> dict[str, object]:
        context = CONTEXTS[source]
        attributes, derived = f"{context}.attributes", side.derived[source]
        gone = []
        if not side.identity:
            gone = [f'delete_matching_keys({attributes}, "^analytics\\\\.(?:user|session|window)\\\\.")']
        kept = [keep_keys(attributes, item)] if not derived else _cut(derived, attributes, needed)
        return group(context, [*statements, *kept, *gone])

    def checked(context: str) -> list[str]:
        return [_checked(f"{context}.attributes", key, pattern) for key, pattern in _SHAPES]

    spans, events, logs = (side.derived[each] for each in (Source.SPAN, Source.SPAN_EVENT, Source.LOG))
    own_name = TRUE if "" in spans.forms(Field.SPAN_NAME) else spans.may_be(lambda rule, _: asks(rule, Field.SPAN_NAME))
    span_name = any_holds([own_name, _around_event(events)])
    cleared = [f'set(span.{field}, "")' for field in ("status.message", "trace_state")]
    return {
        "error_mode": "propagate",
        "trace_statements": [
            resource,
            _scope([*spans.forms(Field.SCOPE), *events.forms(Field.SCOPE)]),
            only(Source.SPAN, *checked("span"), *cleared, _unless('set(span.name, "")', span_name)),
            only(Source.SPAN_EVENT, *checked("spanevent")),
        ],
        # What says where a record comes from is in its uid, too.
        "log_statements": [
            group("log", checked("log")),
            _keyed_uid(),
            only(Source.LOG, _RANDOM_UID, 'set(log.body, "")', 'set(log.severity_text, "")'),
            resource,
            _scope(logs.forms(Field.SCOPE)),
        ],
    }


def _cut(derived: Derived, attributes: str, needed: list[str]) -> list[str]:
    """Return the statements that leave of an item what makes it an event, or what a rule reads where it may be one.

    What is marked is asked no rule. Where no rule fits, and only an event in it does, the gateway has to find so too.
    """
    statements = [
        f"{keep_keys(attributes, _keys(needed, PREFIX))} where {attributes}[{quoted(EVENT)}] != nil",
        _unless(keep_keys(attributes, _keys([*needed, *derived.excluding()], PREFIX)), derived.may_be()),
        keep_keys(attributes, _keys([*needed, *derived.names()], PREFIX)),
    ]
    for name in sorted(ADDRESSES.intersection(derived.names()).difference(needed)):
        statements += shortened(attributes, name, derived.needed_of(name))
    return statements


def _keys(names: Iterable[str], prefix: str = "") -> str:
    """Return the pattern of keys that are one of `names`, or begin with `prefix`."""
    one = rf"^(?:{'|'.join(map(re.escape, sorted(set(names))))})\z"
    return rf"^{re.escape(prefix)}|{one}" if prefix else one


def _unless(statement: str, condition: str) -> str:
    """Return `statement` for what `condition` does not hold of."""
    return statement if condition == FALSE else f"{statement} where {negated(condition)}"


def _around_event(events: Derived) -> str:
    """Return the condition that a span's event may be one by the name of the span."""
    forms = events.forms(Field.SPAN_NAME)
    return all_hold(["Len(span.events) > 0", _may_be_read("span.name", forms)]) if forms else FALSE


def _may_be_read(name: str, forms: Collection[str]) -> str:
    """Return the condition that a rule asks for a name; what is emptied would be of a form that is empty itself."""
    return TRUE if "" in forms else like_any(name, forms)


def _scope(forms: Collection[str]) -> dict[str, object]:
    """Return what empties scopes, but for a name that a rule may ask for."""
    fields = [f'set(scope.{field}, "")' for field in ("version", "schema_url")]
    named = _unless('set(scope.name, "")', _may_be_read("scope.name", forms))
    return group("scope", ["keep_keys(scope.attributes, [])", named, *fields])
