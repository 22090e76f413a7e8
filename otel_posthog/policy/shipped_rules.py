"""The rules that come with the package, each on by its own word or by its group's; none is on until a policy says so.

One table, as data: a policy that names a word has the rules of its rows, with the thresholds and routes that the policy
gives (`derive_options`), and `make policy` makes the table of `docs/derive.md` of it. Events and properties have the
names that an app gives them by hand (`events/`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.sections.derive import (
    DeriveConditions,
    DeriveKind,
    DeriveOptions,
    DeriveSignal,
    DeriveStatus,
    OncePer,
    ValueCondition,
)

_When = Callable[[DeriveOptions], DeriveConditions]
_Ms = Callable[[DeriveOptions], float]


class Shipped(NamedTuple):
    """A row of the table.

    Attributes:
        group: The word that stands for the rows of a group.
        name: The row's own word, and the name of its rule.
        summary: When there is an event, in words.
        event: The event's name.
        when: Returns what an item has to be, under a policy's options; None where no telemetry says it, and a framework
            that does makes the event where the word is on.
        properties: Name -> attribute, as in a rule of a policy; none where there is no rule.
        slow_ms: Returns from how long on it is slow.
        user: The attribute that is the user's id.
        once_per: Of what it makes one event at most.
    """

    group: str
    name: str
    summary: str
    event: str
    when: _When | None
    properties: dict[str, str]
    slow_ms: _Ms | None = None
    user: str | None = None
    once_per: OncePer | None = None


_PRESENT, _ABSENT = ValueCondition(present=True), ValueCondition(present=False)
_SERVER, _CLIENT, _CONSUMER = (DeriveKind.SERVER,), (DeriveKind.CLIENT,), (DeriveKind.CONSUMER,)
_METHOD, _ROUTE, _STATUS = "http.request.method", "http.route", "http.response.status_code"
_FAILED = (DeriveStatus.ERROR,)
_NOT_FAILED = (DeriveStatus.UNSET, DeriveStatus.OK)
_JOB = "celery.task_name"
# The browser's question whether it may ask.
_ASKED = ValueCondition(not_glob=("OPTIONS",), present=True)
_TIMEOUTS = ("*imeout*", "*imed_out*", "*imedOut*", "*eadline*xceeded*", "DEADLINE_EXCEEDED", "408", "504")


def _request(
    routes: Iterable[str] = (), *, but: Iterable[str] = (), succeeded: bool = False, **more: ValueCondition
) -> DeriveConditions:
    """Return what a request to one of `routes` is, or to any `but` some."""
    on_route = ValueCondition(glob=tuple(routes), not_glob=tuple(but), present=True)
    status = {_STATUS: ValueCondition(max=399)} if succeeded else {}
    return DeriveConditions(kind=_SERVER, attributes=FrozenMap({_ROUTE: on_route, _METHOD: _ASKED, **status, **more}))


def _page(options: DeriveOptions) -> DeriveConditions:
    return _request(but=(*options.api_routes, *options.ignored_routes))


def _unrouted(path: ValueCondition, *, method: ValueCondition, most: int) -> DeriveConditions:
    """Return what a request is that was answered well, and of which no route is told, as of Django's page `/`."""
    status = ValueCondition(max=most)
    return DeriveConditions(
        kind=_SERVER, attributes=FrozenMap({_METHOD: method, _STATUS: status, _ROUTE: _ABSENT, "url.path": path})
    )


def _unrouted_page(options: DeriveOptions) -> DeriveConditions:
    path = ValueCondition(not_glob=(*options.api_routes, *options.ignored_routes))
    return _unrouted(path, method=ValueCondition(equals="GET"), most=299)


def _unrouted_api_request(options: DeriveOptions) -> DeriveConditions:
    path = ValueCondition(glob=options.api_routes, not_glob=options.ignored_routes)
    return _unrouted(path, method=_ASKED, most=399)


def _spans(
    kind: tuple[DeriveKind, ...],
    status: tuple[DeriveStatus, ...] = (),
    *,
    least_ms: float | None = None,
    attributes: dict[str, ValueCondition],
) -> DeriveConditions:
    return DeriveConditions(kind=kind, status=status, min_duration_ms=least_ms, attributes=FrozenMap(attributes))


_OF_UNROUTED = {
    "method": _METHOD,
    "status_class": "status_class",
    "duration_ms": "duration_ms",
    "is_slow": "is_slow",
}
_OF_REQUEST = {"route": _ROUTE, **_OF_UNROUTED}
_OF_CALL = {
    "host": "server.address",
    "method": _METHOD,
    "status_code": _STATUS,
    "error_type": "error.type",
    "duration_ms": "duration_ms",
}
_OF_RPC = {
    "host": "server.address",
    "system": "rpc.system",
    "service": "rpc.service",
    "operation": "rpc.method",
    "error_type": "error.type",
    "duration_ms": "duration_ms",
}
_OF_FLAG = {
    "$feature_flag": "feature_flag.key",
    "$feature_flag_response": "feature_flag.result.variant",
    "$feature_flag_reason": "feature_flag.result.reason",
}
_FLAG = ("feature_flag.evaluation", "feature_flag")

SHIPPED: tuple[Shipped, ...] = (
    Shipped(
        "web",
        "page_viewed",
        "A request to a route that is none of `api_routes` and `ignored_routes`.",
        "page_viewed",
        _page,
        _OF_REQUEST,
        slow_ms=lambda options: options.slow_request_ms,
    ),
    Shipped(
        "web",
        "api_request",
        "A request to one of `api_routes`.",
        "api_request",
        lambda options: _request(options.api_routes, but=options.ignored_routes),
        _OF_REQUEST,
        slow_ms=lambda options: options.slow_request_ms,
    ),
    Shipped(
        "web",
        "unrouted_page",
        "A GET of which no route is told, that was answered well, and whose path is none of those.",
        "page_viewed",
        _unrouted_page,
        _OF_REQUEST,
        slow_ms=lambda options: options.slow_request_ms,
    ),
    Shipped(
        "web",
        "unrouted_api_request",
        "A request of which no route is told, that was answered well, and whose path is one of `api_routes`.",
        "api_request",
        _unrouted_api_request,
        _OF_UNROUTED,
        slow_ms=lambda options: options.slow_request_ms,
    ),
    Shipped(
        "web",
        "api_error_occurred",
        "A request that is answered with a status of `error_status_code` or more.",
        "api_error_occurred",
        lambda options: _spans(
            _SERVER, attributes={_STATUS: ValueCondition(min=options.error_status_code), _METHOD: _ASKED}
        ),
        {
            "route": _ROUTE,
            "method": _METHOD,
            "status_code": _STATUS,
            "error_type": "error.type",
            "duration_ms": "duration_ms",
        },
    ),
    Shipped(
        "web",
        "api_timeout",
        "A request, or a call to another service, that failed as it took too long.",
        "api_timeout",
        lambda _: _spans(
            (*_SERVER, *_CLIENT),
            _FAILED,
            attributes={"error.type": ValueCondition(glob=_TIMEOUTS), _METHOD: _PRESENT},
        ),
        {"route": _ROUTE, "kind": "span_kind", **_OF_CALL},
    ),
    Shipped(
        "db",
        "slow_query",
        "A query that took `slow_query_ms` or more.",
        "slow_query",
        lambda options: _spans(_CLIENT, least_ms=options.slow_query_ms, attributes={"db.system.name": _PRESENT}),
        {
            "system": "db.system.name",
            "operation": "db.operation.name",
            "collection": "db.collection.name",
            "duration_ms": "duration_ms",
        },
    ),
    Shipped(
        "jobs",
        "job_completed",
        "A job of a queue was done, as Celery's instrumentation tells; RQ has none.",
        "job_completed",
        lambda _: _spans(
            _CONSUMER,
            _NOT_FAILED,
            attributes={_JOB: _PRESENT, "celery.state": ValueCondition(not_glob=("RETRY", "FAILURE", "REJECTED"))},
        ),
        {"job": _JOB, "queue": "messaging.destination.name", "duration_ms": "duration_ms", "is_slow": "is_slow"},
        slow_ms=lambda options: options.slow_operation_ms,
    ),
    Shipped(
        "jobs",
        "job_failed",
        "A job of a queue that failed.",
        "job_failed",
        lambda _: _spans(_CONSUMER, _FAILED, attributes={_JOB: _PRESENT}),
        {
            "job": _JOB,
            "queue": "messaging.destination.name",
            "error_type": "error.type",
            "duration_ms": "duration_ms",
        },
    ),
    Shipped(
        "messages",
        "message_processed",
        "A message that was processed, well or not, and is no job.",
        "message_processed",
        lambda _: _spans(
            _CONSUMER,
            attributes={
                "messaging.system": _PRESENT,
                "messaging.operation.type": ValueCondition(not_glob=("receive", "settle")),
                _JOB: _ABSENT,
            },
        ),
        {
            "system": "messaging.system",
            "destination": "messaging.destination.name",
            "error_type": "error.type",
            "is_failed": "is_error",
            "duration_ms": "duration_ms",
        },
    ),
    Shipped(
        "calls",
        "external_call_failed",
        "An HTTP request to another service that failed.",
        "external_call_failed",
        lambda _: _spans(_CLIENT, _FAILED, attributes={_METHOD: _PRESENT, "db.system.name": _ABSENT}),
        _OF_CALL,
    ),
    Shipped(
        "calls",
        "external_rpc_failed",
        "A remote procedure call to another service that failed.",
        "external_call_failed",
        lambda _: _spans(_CLIENT, _FAILED, attributes={"rpc.system": _PRESENT, _METHOD: _ABSENT}),
        _OF_RPC,
    ),
    Shipped(
        "operations",
        "slow_operation",
        "A request, a call or a message that took `slow_operation_ms` or more, and is no query.",
        "slow_operation",
        lambda options: _spans(
            (),
            least_ms=options.slow_operation_ms,
            attributes={"db.system.name": _ABSENT, "gen_ai.provider.name": _ABSENT},
        ),
        {
            "kind": "span_kind",
            "route": _ROUTE,
            "method": _METHOD,
            "system": "messaging.system",
            "operation": "rpc.method",
            "job": _JOB,
            "is_failed": "is_error",
            "duration_ms": "duration_ms",
        },
    ),
    Shipped(
        "search",
        "search_performed",
        "A request to one of `search_routes` that was answered well.",
        "search_performed",
        lambda options: _request(options.search_routes, succeeded=True),
        {"route": _ROUTE, "duration_ms": "duration_ms"},
    ),
    Shipped(
        "exports",
        "data_exported",
        "A request to one of `export_routes` that was answered well; its size where the instrumentation tells it.",
        "data_exported",
        lambda options: _request(options.export_routes, succeeded=True),
        {"route": _ROUTE, "size_bytes": "http.response.body.size", "duration_ms": "duration_ms"},
    ),
    Shipped(
        "flags",
        "feature_flag_called",
        "A feature flag was evaluated, as a span event tells.",
        "$feature_flag_called",
        lambda _: DeriveConditions(
            signal=DeriveSignal.SPAN_EVENT, event_name=_FLAG, attributes=FrozenMap({"feature_flag.key": _PRESENT})
        ),
        _OF_FLAG,
        user="feature_flag.context.id",
        once_per=OncePer.FLAG,
    ),
    Shipped(
        "flags",
        "feature_flag_logged",
        "A feature flag was evaluated, as a log record tells.",
        "$feature_flag_called",
        lambda _: DeriveConditions(
            signal=DeriveSignal.LOG, event_name=_FLAG, attributes=FrozenMap({"feature_flag.key": _PRESENT})
        ),
        _OF_FLAG,
        user="feature_flag.context.id",
        once_per=OncePer.FLAG,
    ),
    Shipped(
        "ai",
        "ai_generation",
        "A model was asked; never what, and never its answer.",
        "$ai_generation",
        lambda _: _spans(
            (*_CLIENT, DeriveKind.INTERNAL),
            attributes={
                "gen_ai.request.model": _PRESENT,
                "gen_ai.operation.name": ValueCondition(
                    not_glob=("embeddings", "execute_tool", "create_agent", "invoke_agent", "invoke_workflow")
                ),
            },
        ),
        {
            "$ai_provider": "gen_ai.provider.name",
            "$ai_model": "gen_ai.request.model",
            "$ai_input_tokens": "gen_ai.usage.input_tokens",
            "$ai_output_tokens": "gen_ai.usage.output_tokens",
            "$ai_latency": "duration_s",
            "$ai_trace_id": "trace_id",
            "$ai_is_error": "is_error",
            "$ai_error": "error.type",
        },
    ),
    Shipped("accounts", "user_logged_in", "Somebody logged in.", "user_logged_in", None, {}),
    Shipped("accounts", "user_logged_out", "Somebody logged out.", "user_logged_out", None, {}),
    Shipped("accounts", "login_failed", "A log-in did not succeed.", "login_failed", None, {}),
    Shipped("accounts", "user_signed_up", "An account was made.", "user_signed_up", None, {}),
    Shipped("accounts", "password_changed", "A password was changed.", "password_changed", None, {}),
)

GROUPS = tuple(dict.fromkeys(each.group for each in SHIPPED))
NAMES = tuple(each.name for each in SHIPPED)
WORDS = (*GROUPS, *NAMES)
"""What may stand in `derive` for rules that come with the package."""
