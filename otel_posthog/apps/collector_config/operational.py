"""The operational side's processors: they do for apps without this package what its exporters do for those with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from otel_posthog.apps.collector_config.ottl import HELD, all_of, any_of, delete_keys, group, hold, is_match, put_back
from otel_posthog.apps.collector_config.patterns import (
    HARMLESS_KEYS,
    KEYS_WITH_VALUES,
    blocked_keys,
    blocked_values,
    id_keys,
    id_pairs,
    id_routes,
)
from otel_posthog.model import Source
from otel_posthog.operational import LINKS_MARK
from otel_posthog.policy import Policy
from otel_posthog.privacy.routes import PATH_KEYS, TEMPLATE_KEYS
from otel_posthog.recogniser import ONLY_PRODUCT, PREFIX

# The API's rule for the names of instruments: https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-name-syntax
_METRIC_NAME = r"^[A-Za-z][A-Za-z0-9_./:-]{0,254}\z"
_UNIT = r"^[A-Za-z0-9{}/%_.^*' -]{0,63}\z"
# Long numbers that identify nobody.
NUMBERS = (
    "thread.id",
    "code.line.number",
    "code.lineno",
    "http.request.body.size",
    "http.response.body.size",
    "messaging.message.body.size",
    "messaging.kafka.offset",
    "messaging.kafka.message.offset",
    "process.pid",
    "process.parent_pid",
)
# A Collector cannot look into bytes; a body of bytes is for machines to read.
_TYPES = ("IsString", "IsMap", "IsList", "IsInt", "IsDouble", "IsBool")
_NO_BYTES = (
    f'set(log.body, "****") where log.body != nil and not ({" or ".join(f"{each}(log.body)" for each in _TYPES)})'
)


def operational_processors(policy: Policy) -> dict[str, Any]:
    """Return the processors of the operational side by name, in the order of the pipeline."""
    processors: dict[str, Any] = {
        "filter/operational": _withheld(),
        "transform/operational_before": _before(policy),
    }
    if policy.operational.redact:
        # Two processors: what one ignores for its key, it does not look into either.
        processors["redaction/operational_keys"] = redaction_by_key(policy, ids=policy.operational_privacy.id_keys)
        processors["redaction/operational_values"] = {
            "allow_all_keys": True,
            "redact_all_types": True,
            "ignored_keys": list(NUMBERS),
            "blocked_values": [
                *blocked_values(policy.privacy.detectors, policy.privacy.sensitive_keys | policy.privacy.listed_words),
                *(id_pairs(policy.operational_privacy.id_keys) if "secret" in policy.privacy.detectors else ()),
            ],
            "summary": "silent",
        }
    processors["transform/operational_after"] = _after()
    return processors


def redaction_by_key(policy: Policy, *, ids: Collection[str], ignored: Collection[str] = ()) -> dict[str, Any]:
    """Return the processor that replaces what is under a sensitive key, or under a key named like a person's id.

    Args:
        policy: What may go where.
        ids: Words that name ids.
        ignored: Keys that are left alone.
    """
    return {
        "allow_all_keys": True,
        "redact_all_types": True,
        "ignored_key_patterns": [*HARMLESS_KEYS, *(rf"^{re.escape(key)}\z" for key in ignored)],
        "blocked_key_patterns": [
            *blocked_keys(policy.privacy.sensitive_keys | policy.privacy.listed_words),
            *id_keys(ids),
        ],
        "summary": "silent",
    }


def _withheld() -> dict[str, Any]:
    return {
        "error_mode": "propagate",
        "traces": {
            # Attributes of links can be neither read nor changed here; an app with this package has redacted them.
            "span": [f'Len(links) > 0 and attributes["{LINKS_MARK}"] != true'],
            "spanevent": [any_of(ONLY_PRODUCT[Source.SPAN_EVENT])],
        },
        "logs": {"log_record": [all_of(each, "log.") for each in ONLY_PRODUCT[Source.LOG]]},
        "metrics": {"metric": [f"not {is_match('metric.name', _METRIC_NAME)}"]},
    }


def _user_keys(policy: Policy) -> str:
    prefixes = (PREFIX, *policy.operational.user_key_prefixes)
    names = "|".join(map(re.escape, sorted(policy.operational.user_keys)))
    return rf"^(?:{'|'.join(map(re.escape, prefixes))})|^(?:{names})\z"


def _before(policy: Policy) -> dict[str, Any]:
    gone = [_user_keys(policy)]
    if policy.operational.redact:
        gone.append(KEYS_WITH_VALUES)

    def strip(context: str) -> dict[str, object]:
        deleted = (delete_keys(f"{context}.attributes", pattern) for pattern in gone)
        paths = _paths(policy, f"{context}.attributes") if context in {"span", "log", "datapoint"} else ()
        return group(context, [*deleted, *paths, *hold(context)])

    shared = [strip("resource"), strip("scope")]
    metric = [
        'set(metric.description, "")',
        f'set(metric.unit, "") where not {is_match("metric.unit", _UNIT)}',
    ]
    return {
        "error_mode": "propagate",
        "trace_statements": [*shared, strip("span"), strip("spanevent")],
        "log_statements": [*shared, strip("log"), group("log", [_NO_BYTES])],
        "metric_statements": [
            *shared,
            group("metric", metric),
            strip("datapoint"),
            # What `redaction` does not reach and no name is needed for; trace and span id stay.
            group("exemplar", ["keep_keys(exemplar.filtered_attributes, [])"]),
        ],
    }


def _paths(policy: Policy, attributes: str) -> Iterator[str]:
    """Yield the statements that replace a path by its route where the route names a part as personal."""
    if not policy.operational.redact:
        return
    route = f'{attributes}["{HELD}route"]'
    for template in TEMPLATE_KEYS:
        yield f'set({route}, {attributes}["{template}"]) where {route} == nil and {attributes}["{template}"] != nil'
    named = id_routes(policy.privacy.sensitive_keys | policy.privacy.listed_words | policy.operational_privacy.id_keys)
    yield f'delete_key({attributes}, "{HELD}route") where {route} != nil and not {is_match(route, named)}'
    for key in PATH_KEYS:
        yield f'set({attributes}["{key}"], {route}) where {route} != nil and {attributes}["{key}"] != nil'
    yield f'delete_key({attributes}, "{HELD}route")'


def _after() -> dict[str, Any]:
    scope = group("scope", put_back("scope"))
    return {
        "error_mode": "propagate",
        "trace_statements": [scope, group("span", put_back("span")), group("spanevent", put_back("spanevent"))],
        "log_statements": [scope, group("log", put_back("log"))],
        "metric_statements": [scope],
    }
