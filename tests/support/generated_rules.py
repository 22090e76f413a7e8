"""Rules of the section `derive` and telemetry for them, drawn from the same few words, so that many of both fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from otel_posthog.policy import (
    DeriveConditions,
    DeriveKind,
    DeriveRule,
    DeriveSignal,
    DeriveStatus,
    OncePer,
    ValueCondition,
)
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.rules import text_of

TIME_NS = 1_790_000_000_000_000_000
STATUSES = (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_UNSET, Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR)
SECRET = "never-to-cross"
_ROUTES = ("/api/x", "api/x", "/", "", "/a/search", "b/search", "search", "//api", "/static/a.js", "line\nbreak")
_TARGETS = tuple(route + more for route in _ROUTES for more in ("", "?q=1", "?q=1#f", "#f?q=1", "?"))
_URLS = tuple(
    f"{head}{path}"
    for head in ("http://h", "https://u:p@h:8", "a:b://h", "")
    for path in ("", "/", "/api/x", "/?q=1", "/api/x?q=//1", "?/q", "://")
)
_STATUS = (200, 404, 500, 500.0, 499.5, "500", True, 2**63 - 1)
_ODD: tuple[Any, ...] = (
    *(True, False, "true", "false", 0, 1, 1.0, -3, 0.5, "0.5", 1e300, 1e-7, "1e-07"),
    *(math.nan, "nan", math.inf, -math.inf),
    *(2**53 - 1, float(2**53), "", "a", "ab", 'q"\\*$x ${env:HOME}', "line\nbreak", "ünï"),
    *(b"raw", (1, "a"), {"k": "v"}, None),
)  # fmt: skip
_SYSTEMS = ("postgresql", "mssql", "microsoft.sql_server", "oracle", "oracle.db", "other_sql", 5)
_VALUES: dict[str, tuple[tuple[str, ...], Sequence[Any]]] = {
    "http.request.method": (("http.request.method", "http.method"), ("GET", "POST", "OPTIONS")),
    "http.route": (("http.route",), (*_ROUTES, 7)),
    "url.path": (("url.path",), _ROUTES),
    "url.query": (("url.query",), ("q=1", "q=2", "")),
    "http.response.status_code": (("http.response.status_code", "http.status_code"), _STATUS),
    "db.system.name": (("db.system.name", "db.system"), _SYSTEMS),
    "messaging.operation.type": (
        ("messaging.operation.type", "messaging.operation"),
        ("publish", "send", "deliver", "process", "receive"),
    ),
    "network.protocol.version": (
        ("network.protocol.version", "http.flavor", "net.protocol.version"),
        ("1.1", "2", "HTTP/2", 2, 1.1),
    ),
    "server.address": (("server.address", "net.host.name"), ("h", "h.example")),
    "error.type": (("error.type",), ("TimeoutError", "500", "Gone")),
    "app.odd": (("app.odd",), _ODD),
    "app.user": (("app.user",), ("u-1", "u-2", 3)),
}
_RESOURCE: dict[str, tuple[tuple[str, ...], Sequence[Any]]] = {
    "service.name": (("service.name",), ("shop", "worker")),
    "deployment.environment.name": (("deployment.environment.name", "deployment.environment"), ("prod", "dev")),
}
_SPAN_NAMES, _EVENT_NAMES, _SCOPES = (
    ("GET /", "work", "shop.tasks"),
    ("evaluated", "seen", "gone"),
    ("django", "shop", ""),
)
_NUMBERS = (0, 1, 200, 400, 499.5, 500, -3, 0.5, 1e-7, 2**53, 1e300)
_EDGES_MS = (0, 0.000001, 100, 500, 500.0000005, 1234.567891)


def rule(dice: Random, number: int) -> DeriveRule:
    """Return a rule with some conditions of every kind."""
    signal = dice.choice([DeriveSignal.SPAN, DeriveSignal.SPAN, DeriveSignal.SPAN_EVENT, DeriveSignal.LOG])
    keys = dice.sample(list(_VALUES), dice.choice([1, 1, 1, 2]))
    resource = dice.sample(list(_RESOURCE), dice.choice([0, 0, 0, 1]))
    is_span, is_log = signal is DeriveSignal.SPAN, signal is DeriveSignal.LOG
    when = DeriveConditions(
        signal=signal,
        kind=() if is_log else tuple(dice.sample(list(DeriveKind), dice.choice([0, 0, 1, 3]))),
        scope=_some_forms(dice, _SCOPES) if dice.random() < 0.3 else (),
        span_name=() if is_log else _some_forms(dice, _SPAN_NAMES),
        event_name=() if is_span else _some_forms(dice, _EVENT_NAMES),
        status=() if is_log else tuple(dice.sample(list(DeriveStatus), dice.choice([0, 0, 0, 0, 1, 2]))),
        min_duration_ms=dice.choice([None] * 8 + [*_EDGES_MS]) if is_span else None,
        max_duration_ms=dice.choice([None] * 12 + [*_EDGES_MS]) if is_span else None,
        attributes=FrozenMap({key: _condition(dice, _VALUES[key][1]) for key in keys}),
        resource=FrozenMap({key: _condition(dice, _RESOURCE[key][1]) for key in resource}),
    )
    listed = [
        *dice.sample(list(_VALUES), 2),
        "status_class",
        "trace_id",
        *(["duration_ms", "is_error"] if is_span else []),
    ]
    return DeriveRule(
        f"rule_{number}",
        dice.choice([f"made_{number}", f"{{http.request.method}}_made_{number}"]),
        when,
        FrozenMap({f"p{at}": key for at, key in enumerate(listed)}),
        user=dice.choice([None, "app.user"]),
        sample=dice.choice([1.0, 1.0, 1.0, 0.5]) if is_span else 1.0,
        once_per=dice.choice([None, None, None, OncePer.USER, OncePer.SESSION]),
    )


def _some_forms(dice: Random, words: Sequence[str]) -> tuple[str, ...]:
    return tuple(_form(dice, dice.choice(words)) for _ in range(dice.choice([0, 0, 0, 0, 1, 2])))


def _form(dice: Random, text: str) -> str:
    cut = dice.randint(0, len(text))
    return dice.choice(
        [text, f"{text[:cut]}*", f"*{text[cut:]}", f"{text[:cut]}*{text[cut + 1 :]}", "*", f"**{text[cut:]}"]
    )


def _condition(dice: Random, values: Sequence[Any]) -> ValueCondition:
    # OTTL has no literal of these; numbers of their type are all kept.
    texts = [text for value in values if (text := text_of(value)) not in {None, "nan", "inf", "-inf"}]
    text = dice.choice(texts)
    made = (
        ValueCondition(equals=text),
        ValueCondition(one_of=(text, dice.choice(texts))),
        ValueCondition(prefix=text[: dice.randint(0, len(text))]),
        ValueCondition(glob=(_form(dice, text), _form(dice, dice.choice(texts)))),
        ValueCondition(not_glob=(_form(dice, text),), present=dice.choice([None, True])),
        ValueCondition(min=dice.choice(_NUMBERS)),
        ValueCondition(max=dice.choice(_NUMBERS)),
        ValueCondition(present=dice.choice([True, False])),
    )
    return dice.choice(made)


def traces(dice: Random, count: int) -> ExportTraceServiceRequest:
    """Return a request with spans, some of them with events or marked."""
    request = ExportTraceServiceRequest()
    for _ in range(8):
        holder = request.resource_spans.add(schema_url="https://example.com/1")
        _set_all(holder.resource.attributes, _attributes(dice, _RESOURCE, 0.8))
        scope = holder.scope_spans.add()
        scope.scope.name = dice.choice(_SCOPES)
        for _ in range(count // 8):
            took_ns = round(dice.choice(_EDGES_MS) * 1e6) + dice.choice([-1, 0, 1])
            span = scope.spans.add(
                name=dice.choice(_SPAN_NAMES),
                trace_id=dice.randbytes(16),
                span_id=dice.randbytes(8),
                kind=dice.choice([0, 1, 2, 3, 4, 5]),
                start_time_unix_nano=TIME_NS,
                end_time_unix_nano=TIME_NS + max(0, took_ns),
            )
            span.status.MergeFrom(Status(code=dice.choice(STATUSES), message=SECRET))
            _set_all(span.attributes, _item(dice))
            for at in range(dice.choice([0, 0, 0, 1, 2])):
                event = span.events.add(name=dice.choice(_EVENT_NAMES), time_unix_nano=TIME_NS + at)
                _set_all(event.attributes, _item(dice))
            for error in dice.choice([(), (), (), ("shop.errors.Gone",), ("Gone", "TimeoutError")]):
                event = span.events.add(name="exception", time_unix_nano=TIME_NS)
                _set_all(event.attributes, {"exception.type": error, "exception.message": SECRET})
    return request


def logs(dice: Random, count: int) -> ExportLogsServiceRequest:
    """Return a request with log records, each with a uid of its own."""
    request = ExportLogsServiceRequest()
    for _ in range(4):
        holder = request.resource_logs.add()
        _set_all(holder.resource.attributes, _attributes(dice, _RESOURCE, 0.8))
        scope = holder.scope_logs.add()
        scope.scope.name = dice.choice(_SCOPES)
        for _ in range(count // 4):
            record = scope.log_records.add(event_name=dice.choice(_EVENT_NAMES), time_unix_nano=TIME_NS)
            record.body.string_value = SECRET
            _set_all(record.attributes, {**_item(dice), "log.record.uid": str(_uuid(dice))})
            if dice.random() < 0.5:
                record.trace_id, record.span_id = dice.randbytes(16), dice.randbytes(8)
    return request


def _uuid(dice: Random) -> str:
    digits = dice.randbytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _item(dice: Random) -> dict[str, Any]:
    found = _attributes(dice, _VALUES, 0.4)
    if dice.random() < 0.4:
        found["http.target"] = dice.choice([*_TARGETS, 7])
    if dice.random() < 0.3:
        found["http.url"] = dice.choice([*_URLS, 7])
    if dice.random() < 0.1:
        found["analytics.event"] = "marked"
    if dice.random() < 0.3:
        found["user.id"] = dice.choice(["u-7", "u-8"])
    if dice.random() < 0.2:
        found["session.id"] = "s-1"
    if dice.random() < 0.1:
        found["http.request.header.sec-gpc"] = ("1",)
    return found | {"note": SECRET, "db.statement": f"select {SECRET}"}


def _attributes(dice: Random, of: dict[str, tuple[tuple[str, ...], Sequence[Any]]], part: float) -> dict[str, Any]:
    return {name: dice.choice(values) for names, values in of.values() for name in names if dice.random() < part}


def _set_all(pairs: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        _set(pairs.add(key=key).value, value)


def _set(into: Any, value: Any) -> None:
    if isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, (list, tuple)):
        into.array_value.SetInParent()
        for each in value:
            _set(into.array_value.values.add(), each)
    elif isinstance(value, dict):
        into.kvlist_value.SetInParent()
        _set_all(into.kvlist_value.values, value)
    elif value is not None:
        kinds = {str: "string_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
        setattr(into, kinds[type(value)], value)
