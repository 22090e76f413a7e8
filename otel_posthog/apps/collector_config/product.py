"""The product side's processors: what may go to the gateway, which filters it, and exactly.

On the way to the gateway nothing is looked for inside values: what a regular expression does to a text, the gateway
cannot take back, and what is left of a secret it may no longer recognise. Where events rest in between, in Kafka, the
operational side's redaction is done to them as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from otel_posthog.actor.attributes import SESSION_ID_KEYS, USER_ID_KEYS
from otel_posthog.apps.collector_config.keys import NAMES
from otel_posthog.apps.collector_config.operational import KEY, mark, redaction, unmark
from otel_posthog.apps.collector_config.ottl import any_of, group, hold, is_match, keep_keys, none_of, put_back
from otel_posthog.model import PROCESSED, Source
from otel_posthog.policy import Policy
from otel_posthog.recogniser import CONTENT_UID, EXCEPTION_TYPE, PREFIX, RECORD_UID_KEY, Recogniser
from otel_posthog.rules import Condition
from otel_posthog.translate.vocabulary import TIMESTAMP_KEY, UUID_KEY

_UUID = r"^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\z"
# A UUID, a ULID (which the semantic conventions recommend), or what is made below.
_UID = rf"{_UUID}|^[0-9A-HJKMNP-TV-Z]{{26}}\z|^{re.escape(CONTENT_UID)}[0-9a-f]{{64}}\z"
_TIME = r"^[0-9TZtz:. +-]{10,35}\z"
_SHAPES = ((UUID_KEY, _UUID), (RECORD_UID_KEY, _UID), (TIMESTAMP_KEY, _TIME))


def product_processors(policy: Policy) -> dict[str, Any]:
    """Return the processors of the product side, by name, in the order in which they are to stand."""
    return {**_kept(Recogniser(policy)), "transform/product_before": _before(policy)}


def kafka_processors(policy: Policy) -> dict[str, Any]:
    """Return the processors that stand behind those of the product side where events rest in Kafka, in their order."""
    ignored = [UUID_KEY, TIMESTAMP_KEY, RECORD_UID_KEY, *_identity(policy)]

    def around(statements: Callable[[str], Iterable[str]]) -> dict[str, Any]:
        spans = [group(context, statements(context)) for context in ("resource", "span", "spanevent")]
        logs = [group(context, statements(context)) for context in ("resource", "log")]
        return {"error_mode": "propagate", "trace_statements": spans, "log_statements": logs}

    def before(context: str) -> list[str]:
        return [keep_keys(f"{context}.attributes", NAMES), *hold(context), *mark(f"{context}.attributes")]

    def after(context: str) -> list[str]:
        return [*unmark(f"{context}.attributes"), *put_back(context)]

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
    return [] if not any(mode.tells_users_apart for mode in modes) else [*USER_ID_KEYS, *SESSION_ID_KEYS]


def _id_keys(policy: Policy) -> frozenset[str]:
    """Return the words of ids that no destination may get."""
    of_each = [policy.privacy_of(each).id_keys for each in policy.destinations]
    return of_each[0].intersection(*of_each)


def _kept(recogniser: Recogniser) -> dict[str, Any]:
    """Return the filter that lets go what is no product event; what a rule asks of the span around one is left out."""

    def rules(source: Source) -> list[Sequence[Condition]]:
        return [rule.conditions for rule in recogniser.of(source)]

    return {
        "filter/product": {
            "error_mode": "propagate",
            "traces": {"spanevent": [f"not ({any_of(rules(Source.SPAN_EVENT))})"]},
            "logs": {"log_record": [f"not ({any_of(rules(Source.LOG), 'log.')})"]},
        },
        "filter/product_spans": {
            "error_mode": "propagate",
            "traces": {"span": [f"{none_of(rules(Source.SPAN))} and Len(events) == 0"]},
        },
    }


def _checked(attributes: str, key: str, pattern: str) -> str:
    """Return the statement that takes a value out that is not what its key says."""
    field = f'{attributes}["{key}"]'
    return f'delete_key({attributes}, "{key}") where {field} != nil and not {is_match(field, pattern)}'


def _with_uid() -> list[str]:
    """Return the statements that give a log record a uid, while all that was received is still there.

    By a key the same record has the same uid again. Without one it has a random one: a bare hash would let whoever
    guesses what is taken off below see that it was there.
    """
    uid, own = f'log.attributes["{RECORD_UID_KEY}"]', f'log.attributes["{UUID_KEY}"]'
    fields = ("trace_id.string", "span_id.string", "event_name", "time_unix_nano", "observed_time_unix_nano")
    parts = [f"log.{field}" for field in fields]
    parts += [f"String({field})" for field in ("log.attributes", "log.body", "resource.attributes")]
    inner = f'SHA256(Concat(["{KEY}", {", ".join(parts)}], "|"))'
    keyed = f'Concat(["{CONTENT_UID}", SHA256(Concat(["{KEY}", {inner}], "|"))], "")'
    return [
        f'set({uid}, {keyed}) where "{KEY}" != "" and {uid} == nil and {own} == nil',
        f"set({uid}, UUID()) where {uid} == nil and {own} == nil",
    ]


def _before(policy: Policy) -> dict[str, Any]:
    allowed = "|".join(map(re.escape, sorted({*policy.privacy.allow, EXCEPTION_TYPE, RECORD_UID_KEY})))
    identity = _identity(policy)
    ids = "|".join(map(re.escape, identity))
    item = rf"^{re.escape(PREFIX)}|^(?:{allowed})\z" + (rf"|^(?:{ids})\z" if ids else "")

    def only(context: str, *statements: str) -> dict[str, object]:
        attributes = f"{context}.attributes"
        checked = [_checked(attributes, key, pattern) for key, pattern in _SHAPES]
        checked += _with_uid() if context == "log" else []
        gone = []
        if not ids:
            gone = [f'delete_matching_keys({attributes}, "^analytics\\\\.(?:user|session)\\\\.")']
        return group(context, [*checked, keep_keys(attributes, item), *gone, *statements])

    # The mark of an app with this package: a gateway derives nothing from what that app has exported.
    kept = rf"^(?:{allowed}|{re.escape(PROCESSED)})\z"
    resource = group("resource", [keep_keys("resource.attributes", kept), 'set(resource.schema_url, "")'])
    fields = (f'set(scope.{field}, "")' for field in ("name", "version", "schema_url"))
    scope = group("scope", ["keep_keys(scope.attributes, [])", *fields])
    cleared = [f'set(span.{field}, "")' for field in ("name", "status.message", "trace_state")]
    return {
        "error_mode": "propagate",
        "trace_statements": [
            resource,
            scope,
            only("span", *cleared),
            only("spanevent"),
        ],
        # What says where a record comes from is in its uid, too.
        "log_statements": [only("log", 'set(log.body, "")', 'set(log.severity_text, "")'), resource, scope],
    }
