"""What looks like telemetry, or an answer, in a format that is not read: as properties it would mislead."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from otel_posthog.recogniser import EVENT

Content = Mapping[str, object]

# What telemetry has and a property hardly: some of these at once, or one that holds further fields.
_IDS = frozenset({"traceid", "spanid", "parentid", "parentspanid"})
_HOLDERS = frozenset(
    {"attributes", "resource", "context", "scope", "instrumentationscope", "tags", "spans", "status"}
    | {"localendpoint", "remoteendpoint", "annotations"}
)
_LISTS = frozenset({"resourcespans", "resourcelogs", "resourcemetrics", "scopespans", "scopelogs", "scopemetrics"})

_TIMES = frozenset({"timestamp", "time", "ts", "asctime", "datetime"})
_LEVELS = frozenset({"level", "levelname", "severity", "severitytext", "loglevel", "log.level", "lvl"})
_TEXTS = frozenset({"message", "msg", "body", "event"})
_LEVEL_WORDS = frozenset(
    {"trace", "debug", "info", "information", "informational", "notice", "warn", "warning"}
    | {"error", "err", "critical", "crit", "fatal", "alert", "panic"}
)

_OTLP = "write OTLP JSON, or what the console exporters of OpenTelemetry for Python print"
_AS_SPANS = 'write it as OTLP JSON: {"resourceSpans": [...]}'
_AS_EVENT = 'write an event, such as {"event": "paid", "properties": {...}}, or its properties alone'
_ROWS = "give its events themselves: jq -c '.results[]' FILE | otel-posthog explain -"


def foreign_format(content: Content) -> str | None:
    """Return what `content` looks like and what to give instead, where that is neither an event nor properties."""
    for what, advice, seen_in in _KNOWN:
        seen = seen_in(content)
        if seen:
            return f"this looks like {what}, which is not read here ({', '.join(seen)}); {advice}"
    if isinstance(content.get("event"), str) or EVENT in content:
        return None
    seen = _telemetry(content) or [
        f"{key}.{each}" for key in content for first in [_first(content, key)] if first for each in _telemetry(first)
    ]
    if not seen:
        return None
    return f"this looks like telemetry in a format that is not read here ({', '.join(seen)}); {_OTLP}"


def _first(content: Content, key: str) -> Content | None:
    """Return what `key` holds, or the first of several."""
    value = content.get(key)
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, Mapping) else None


def _telemetry(content: Content) -> list[str]:
    names = {key: key.replace("_", "").lower() for key in content}
    ids = [key for key, name in names.items() if name in _IDS]
    nested = [key for key, name in names.items() if name in _HOLDERS and isinstance(content[key], (Mapping, list))]
    lists = [key for key, name in names.items() if name in _LISTS]
    is_found = len(ids) > 1 or len(nested) > 1 or lists or (ids and nested) or "attributes" in nested
    return ids + nested + lists if is_found else []


def _within(key: str, *wanted: str) -> Callable[[Content], list[str]]:
    """Return what finds a list under `key` whose first has one of `wanted`."""

    def seen_in(content: Content) -> list[str]:
        first = _first(content, key) if isinstance(content.get(key), list) else None
        return [f"{key}[].{each}" for each in wanted if first is not None and each in first]

    return seen_in


def _posthog_rows(content: Content) -> list[str]:
    first = _first(content, "results") if isinstance(content.get("results"), list) else None
    return ["results[].event", "results[].distinct_id"] if first and {"event", "distinct_id"} <= first.keys() else []


def _query_result(content: Content) -> list[str]:
    names = ["columns", "results"]
    return names if all(isinstance(content.get(each), list) for each in names) else []


def _cloud_event(content: Content) -> list[str]:
    return ["specversion", "type"] if isinstance(content.get("specversion"), str) and "type" in content else []


def _ecs(content: Content) -> list[str]:
    ecs = content.get("ecs")
    found = [key for key in ("@timestamp", "ecs.version") if key in content]
    return found + (["ecs.version"] if isinstance(ecs, Mapping) and "version" in ecs else [])


def _log_line(content: Content) -> list[str]:
    if "properties" in content or "distinct_id" in content:
        return []
    names = {key: key.replace("_", "").lower() for key in content}
    levels = [key for key, name in names.items() if name in _LEVELS and _is_level(content[key])]
    texts = [key for key, name in names.items() if name in _TEXTS and isinstance(content[key], str)]
    others = [key for key, name in names.items() if name in _TIMES or name in _IDS]
    return others + levels + texts if levels and texts and others else []


def _is_level(value: object) -> bool:
    return (isinstance(value, str) and value.strip().lower() in _LEVEL_WORDS) or type(value) is int


_KNOWN: tuple[tuple[str, str, Callable[[Content], list[str]]], ...] = (
    ("an answer of Tempo's API", _AS_SPANS, _within("batches", "scopeSpans", "instrumentationLibrarySpans")),
    ("what Jaeger's page and API give", _AS_SPANS, _within("data", "traceID", "spans")),
    ("an answer of PostHog's API", _ROWS, _posthog_rows),
    ("an answer of PostHog's query API", _AS_EVENT, _query_result),
    ("a CloudEvent", _AS_EVENT, _cloud_event),
    ("a log line of the Elastic Common Schema", _OTLP, _ecs),
    ("a line of a JSON log", _OTLP, _log_line),
)
