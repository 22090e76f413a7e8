"""The operational side's processors: they do for apps without this package what its exporters do for those with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from otel_posthog.apps.collector_config.keys import (
    COUNTING_KEYS,
    HARMLESS_KEYS,
    HOMES,
    NAMES,
    NO_HUMPS,
    blocked_humps,
    blocked_keys,
    harmless_usual_keys,
    id_humps,
    id_keys,
    texts_under_counting_keys,
)
from otel_posthog.apps.collector_config.ottl import (
    HELD,
    all_of,
    any_of,
    delete_keys,
    group,
    hold,
    is_match,
    keep_keys,
    put_back,
    quoted,
)
from otel_posthog.apps.collector_config.patterns import (
    HARMLESS_VALUES,
    LISTS,
    NO_TEXT,
    UNSEEN,
    id_routes,
    unseen_values,
)
from otel_posthog.apps.collector_config.stages import stages
from otel_posthog.apps.collector_config.types import mark, unmark
from otel_posthog.environment_variables import UUID_KEY
from otel_posthog.model import Source
from otel_posthog.policy import Policy
from otel_posthog.privacy.routes import PATH_KEYS, TEMPLATE_KEYS
from otel_posthog.recogniser import ONLY_PRODUCT, PREFIX

# The API's rule for the names of instruments: https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-name-syntax
_METRIC_NAME = r"^[A-Za-z][A-Za-z0-9_./:-]{0,254}\z"
_UNIT_CHARS = r"[A-Za-z{}\[\]%_.^*' °µ-]"
_UNIT = (
    rf"^/?{_UNIT_CHARS}{{0,20}}(?:[0-9]{{1,3}}{_UNIT_CHARS}{{1,12}})?[0-9]{{0,3}}"
    rf"(?:/{_UNIT_CHARS}{{1,16}})?[0-9]{{0,3}}\z"
)
_SCHEMA = r"^https://opentelemetry\.io/schemas/[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\z"
_BODY, _IN_BODY, _SERIES = f"{HELD}body", f"{HELD}in_body.", f"{HELD}series"
KEY = f"${{env:{UUID_KEY}:-}}"
"""Stands for the key of uuids where the configuration is read."""
SERIES = "otel_posthog.series"
"""The attribute that keeps series apart that would be one without what was taken out of their attributes."""


def operational_processors(policy: Policy) -> dict[str, Any]:
    """Return the processors of the operational side by name, in the order of the pipeline."""
    processors: dict[str, Any] = {
        "filter/operational": _withheld(policy),
        "transform/operational_before": _before(policy),
    }
    if policy.operational.redact:
        processors.update(redaction("operational", policy, ids=policy.operational_privacy.id_keys))
    processors["transform/operational_after"] = _after(policy)
    processors["filter/operational_series"] = _without_a_key()
    return processors


def redaction(side: str, policy: Policy, *, ids: Collection[str], ignored: Collection[str] = ()) -> dict[str, Any]:
    """Return the processors that replace what is found: by its key, what is no text, and in texts, stage by stage.

    Several, since what one ignores for its key it does not look into either, and it cannot tell numbers from texts.

    Args:
        side: What their names begin with.
        policy: What may go where.
        ids: Words that name ids.
        ignored: Keys that are left alone.
    """
    words = policy.privacy.sensitive_keys | policy.privacy.listed_words
    alone = [rf"^{re.escape(key)}\z" for key in ignored]
    named = [*blocked_keys(words), *id_keys(ids)]
    humps = [*blocked_humps(words), *id_humps(ids)]
    usual = harmless_usual_keys([*named, *humps, texts_under_counting_keys(words)])

    def step(**settings: object) -> dict[str, Any]:
        # The hash is made here, and what an app calls so is gone.
        ours = {"allow_all_keys": True, "redact_all_types": True, "ignored_keys": [_SERIES]}
        return {**ours, **settings, "summary": "silent"}

    by_key = {
        "ignored_keys": [_SERIES, *usual],
        "ignored_key_patterns": [*HARMLESS_KEYS, COUNTING_KEYS, *alone],
        # A yes or no is nobody's.
        "allowed_values": [r"^(?:true|false)\z"],
    }
    only_humps = {**by_key, "ignored_key_patterns": [NO_HUMPS, *by_key["ignored_key_patterns"]]}
    made = {
        f"redaction/{side}_keys": step(**by_key, blocked_key_patterns=named),
        f"redaction/{side}_humps": step(**only_humps, blocked_key_patterns=humps),
        f"redaction/{side}_counts": step(
            ignored_keys=[_SERIES, *usual],
            ignored_key_patterns=alone,
            allowed_values=[NO_TEXT, LISTS, *HARMLESS_VALUES],
            blocked_key_patterns=[texts_under_counting_keys(words)],
        ),
        f"redaction/{side}_unseen": step(
            ignored_key_patterns=alone, allowed_values=[UNSEEN], blocked_values=unseen_values()
        ),
    }
    for stage in stages(policy.privacy.detectors, words, ids):
        allowed = [NO_TEXT, *stage.gates, *HARMLESS_VALUES]
        made[f"redaction/{side}_{stage.name}"] = step(
            ignored_key_patterns=alone, allowed_values=allowed, blocked_values=stage.patterns
        )
    return made


def _withheld(policy: Policy) -> dict[str, Any]:
    names = [f"not {is_match('metric.name', _METRIC_NAME)}"]
    if policy.operational.redact:
        names += [f"not {is_match('metric.name', NAMES)}", is_match("metric.name", HOMES)]
    return {
        "error_mode": "propagate",
        "traces": {
            # Attributes of links can be neither read nor changed here, and a mark that says so could be anybody's.
            "span": ["Len(links) > 0"],
            "spanevent": [any_of(ONLY_PRODUCT[Source.SPAN_EVENT])],
        },
        "logs": {"log_record": [all_of(each, "log.") for each in ONLY_PRODUCT[Source.LOG]]},
        "metrics": {"metric": names},
    }


def _user_keys(policy: Policy) -> str:
    prefixes = (PREFIX, *policy.operational.user_key_prefixes)
    names = "|".join(map(re.escape, sorted(policy.operational.user_keys)))
    return rf"^(?:{'|'.join(map(re.escape, prefixes))})|^(?:{names})\z"


def _before(policy: Policy) -> dict[str, Any]:
    def strip(context: str) -> dict[str, object]:
        attributes = f"{context}.attributes"
        statements = [] if context == "datapoint" else [_not_held(attributes)]
        statements.append(delete_keys(attributes, _user_keys(policy)))
        if context == "log":
            statements += _spread_body()
        if policy.operational.redact:
            statements += [keep_keys(attributes, NAMES), delete_keys(attributes, HOMES)]
        statements += _paths(policy, attributes) if context in {"span", "log", "datapoint"} else ()
        statements += hold(context)
        if policy.operational.redact:
            statements += mark(context)
        if context in {"resource", "scope"}:
            statements.append(f'set({context}.schema_url, "") where not {is_match(f"{context}.schema_url", _SCHEMA)}')
        return group(context, statements)

    shared = [strip("resource"), strip("scope")]
    metric = [
        'set(metric.description, "")',
        "keep_keys(metric.metadata, [])",
        f'set(metric.unit, "") where not {is_match("metric.unit", _UNIT)}',
    ]
    return {
        "error_mode": "propagate",
        "trace_statements": [*shared, strip("span"), strip("spanevent")],
        "log_statements": [*shared, strip("log")],
        "metric_statements": [
            _received_as(),
            *shared,
            group("metric", metric),
            strip("datapoint"),
            # What `redaction` does not reach and no name is needed for; trace and span id stay.
            group("exemplar", ["keep_keys(exemplar.filtered_attributes, [])"]),
        ],
    }


def _spread_body() -> Iterator[str]:
    """Yield the statements that move a body to the attributes, so that the same is done to it: a map entry by entry."""
    yield f'set(log.attributes["{_BODY}"], log.body) where log.body != nil and not IsMap(log.body)'
    yield f'set(log.attributes["{_BODY}"], true) where IsMap(log.body)'
    yield f'replace_all_patterns(log.body, "key", "^", "{_IN_BODY}") where IsMap(log.body)'
    yield 'merge_maps(log.attributes, log.body, "upsert") where IsMap(log.body)'
    # What stays would be looked through once more.
    yield "keep_keys(log.body, []) where IsMap(log.body)"
    yield "set(log.body, []) where IsList(log.body)"
    yield 'set(log.body, "") where log.body != nil and not IsMap(log.body) and not IsList(log.body)'


def _body_again() -> Iterator[str]:
    in_body = quoted(f"^{re.escape(_IN_BODY)}")
    yield f'set(log.body, log.attributes["{_BODY}"]) where log.attributes["{_BODY}"] != nil and not IsMap(log.body)'
    # What goes leaves nothing, and `redaction` something even of that.
    yield f'set(log.body, "") where log.attributes["{_BODY}"] == nil and IsString(log.body)'
    yield "set(log.body, log.attributes) where IsMap(log.body)"
    yield f"keep_matching_keys(log.body, {in_body}) where IsMap(log.body)"
    yield f'replace_all_patterns(log.body, "key", {in_body}, "") where IsMap(log.body)'
    yield f"delete_matching_keys(log.attributes, {in_body})"
    yield f'delete_key(log.attributes, "{_BODY}")'


def _series() -> str:
    """Return the expression for all that tells a point's series from others."""
    parts = (f'"{KEY}"', "String(resource.attributes)", "scope.name", "scope.version", "String(scope.attributes)",
             "String(datapoint.attributes)")  # fmt: skip
    return f'SHA256(Concat([{", ".join(parts)}], "|"))'


def _received_as() -> dict[str, Any]:
    # A map with a NaN has no text: what has none is taken for changed.
    held = f'datapoint.attributes["{_SERIES}"]'
    statements = [_not_held("datapoint.attributes"), f"set({held}, {_series()})"]
    return {**group("datapoint", statements), "error_mode": "silent"}


def _not_held(attributes: str) -> str:
    """Return the statement that deletes what an app itself calls as fields are called that are held."""
    return delete_keys(attributes, f"^{re.escape(HELD)}")


def _kept_apart() -> dict[str, Any]:
    """Return the statements that leave a hash on the points of which something was taken out, and on no others."""
    series, held = f'datapoint.attributes["{SERIES}"]', "datapoint.cache"
    before = f'datapoint.attributes["{_SERIES}"]'
    return {
        **group(
            "datapoint",
            [
                f'set({held}["before"], "unknown")',
                f'set({held}["before"], {before}) where {before} != nil',
                f'delete_key(datapoint.attributes, "{_SERIES}")',
                f'set({held}["after"], {_series()})',
                f'set({series}, {held}["before"]) where {held}["after"] == nil or {held}["before"] != {held}["after"]',
                (
                    f'set({series}, Substring(SHA256(Concat(["{KEY}", {series}], "|")), 0, 16)) where "{KEY}" != ""'
                    f' and {series} != nil and {series} != "unknown"'
                ),
                f'set({series}, "unknown") where {series} != nil and "{KEY}" == ""',
            ],
        ),
        "error_mode": "silent",
    }


def _without_a_key() -> dict[str, Any]:
    """Return the filter of points that cannot be told from those of another series, which theirs would replace."""
    return {
        "error_mode": "propagate",
        "metrics": {"datapoint": [f'attributes["{SERIES}"] == "unknown"', f'attributes["{_SERIES}"] != nil']},
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


def _after(policy: Policy) -> dict[str, Any]:
    def back(context: str) -> dict[str, object]:
        statements = list(unmark(context)) if policy.operational.redact else []
        statements += _body_again() if context == "log" else ()
        return group(context, [*statements, *put_back(context)])

    shared = [back("resource"), back("scope")]
    return {
        "error_mode": "propagate",
        "trace_statements": [*shared, back("span"), back("spanevent")],
        "log_statements": [*shared, back("log")],
        "metric_statements": [*shared, back("datapoint"), _kept_apart()],
    }
