"""The product side's processors: what may go to the gateway, which filters it once more, and exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from otel_posthog.actor.attributes import SESSION_ID_KEYS, USER_ID_KEYS
from otel_posthog.apps.collector_config.operational import redaction_by_key
from otel_posthog.apps.collector_config.ottl import any_of, group, hold, is_match, keep_keys, none_of, put_back
from otel_posthog.apps.collector_config.patterns import blocked_values
from otel_posthog.environment_variables import UUID_KEY as UUID_KEY_VARIABLE
from otel_posthog.model import Source
from otel_posthog.policy import Policy
from otel_posthog.recogniser import CONTENT_UID, EXCEPTION_TYPE, PREFIX, RECORD_UID_KEY, Recogniser
from otel_posthog.rules import Condition
from otel_posthog.translate.vocabulary import TIMESTAMP_KEY, UUID_KEY

EXACT = ("email", "iban", "ip", "jwt", "mac", "secret")
"""Detectors that take as little there as here. The others would take any long number, an amount too, for a person's:
on this side they are left to the gateway."""

KEY = f"${{env:{UUID_KEY_VARIABLE}:-}}"
"""Stands for the key of uuids where the configuration is read."""

_UUID = r"^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\z"
# A UUID, a ULID (which the semantic conventions recommend), or what is made below.
_UID = rf"{_UUID}|^[0-9A-HJKMNP-TV-Z]{{26}}\z|^{re.escape(CONTENT_UID)}[0-9a-f]{{64}}\z"
_TIME = r"^[0-9TZtz:. +-]{10,35}\z"
_SHAPES = ((UUID_KEY, _UUID), (RECORD_UID_KEY, _UID), (TIMESTAMP_KEY, _TIME))


def product_processors(policy: Policy) -> dict[str, Any]:
    """Return the processors of the product side, by name, in the order in which they are to stand."""
    on = [name for name in EXACT if name in policy.privacy.detectors]
    return {
        **_kept(Recogniser(policy)),
        "transform/product_before": _before(policy),
        "redaction/product_keys": redaction_by_key(
            policy, ids=_id_keys(policy), ignored=[*_identity(policy), UUID_KEY]
        ),
        "redaction/product_values": {
            "allow_all_keys": True,
            "redact_all_types": True,
            "ignored_keys": [UUID_KEY, TIMESTAMP_KEY, RECORD_UID_KEY, *_identity(policy)],
            "blocked_values": blocked_values(on, policy.privacy.sensitive_keys | policy.privacy.listed_words),
            "summary": "silent",
        },
        "transform/product_after": {
            "error_mode": "propagate",
            "trace_statements": [group("spanevent", put_back("spanevent"))],
            "log_statements": [group("log", put_back("log"))],
        },
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

    resource = group("resource", [keep_keys("resource.attributes", rf"^(?:{allowed})\z")])
    scope = group("scope", ["keep_keys(scope.attributes, [])", 'set(scope.name, "")', 'set(scope.version, "")'])
    cleared = [f'set(span.{field}, "")' for field in ("name", "status.message", "trace_state")]
    return {
        "error_mode": "propagate",
        "trace_statements": [
            resource,
            scope,
            only("span", *cleared),
            only("spanevent", *hold("spanevent")),
        ],
        # What says where a record comes from is in its uid, too.
        "log_statements": [only("log", 'set(log.body, "")', *hold("log")), resource, scope],
    }
