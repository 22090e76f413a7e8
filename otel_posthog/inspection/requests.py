"""Requests that change something, by method and route, and a rule for each of the most frequent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from otel_posthog.conventions import ROUTE, STATUS_CODE, read_by_either_name
from otel_posthog.intake.otlp import SpanRecord
from otel_posthog.policy import DeriveConditions, DeriveKind, DeriveRule, ValueCondition
from otel_posthog.policy.derive_checks import derive_problems
from otel_posthog.policy.fields import FrozenMap

MAX_RULES = 5
_METHOD = "http.request.method"
ROUTE_METHOD = (_METHOD, ROUTE)
"""Attributes that tell one kind of request from another."""
_VERBS = {"POST": "submitted", "PUT": "replaced", "PATCH": "changed", "DELETE": "deleted"}
_LAST_WELL = 399
WELL = ValueCondition(max=_LAST_WELL)
# What holds a value instead of its name, as a server without a router writes it, is no route.
_ROUTE_TEXT = re.compile(r"/[A-Za-z0-9_.\-/{}<>:()\[\]?*+\\^$|]{0,120}")
_PARAMETER = re.compile(r"\{[^/]*\}|<[^/]*>|:[A-Za-z_]\w*|\(\?P?[^/]*\)|\*+|[\\^$?+()]")
_WORD = re.compile(r"[a-z][a-z0-9]*")
_NUMBER = re.compile(r"\d{3,}")
_MAX_NAME_CHARS = 32


class Request(NamedTuple):
    """A kind of request.

    Attributes:
        method: `POST`, `PUT`, `PATCH` or `DELETE`.
        route: Its template.
    """

    method: str
    route: str


def request_of(span: SpanRecord) -> Request | None:
    """Return which request that changes something a span is; None where it is none, or was not answered well."""
    route, method = (read_by_either_name(span.attributes, key) for key in (ROUTE, _METHOD))
    code = read_by_either_name(span.attributes, STATUS_CODE)
    if span.kind != "SERVER" or not isinstance(route, str) or not isinstance(method, str) or method not in _VERBS:
        return None
    is_well = isinstance(code, (int, float)) and not isinstance(code, bool) and code <= _LAST_WELL
    return Request(method, route) if is_well and is_route(route) else None


def rules_for(requests: Counter[Request], taken: Collection[str]) -> list[tuple[DeriveRule, int]]:
    """Return a rule for each of the most frequent requests, with how many there were.

    Args:
        requests: How many there were of each.
        taken: Names that rules have.
    """
    made: dict[str, tuple[DeriveRule, int]] = {}
    for request, count in sorted(requests.items(), key=lambda each: (-each[1], each[0])):
        rule = rule_of(request, {*taken, *made})
        if len(made) < MAX_RULES and not list(derive_problems([rule])):
            made[rule.name] = rule, count
    return list(made.values())


def rule_of(
    request: Request, taken: Collection[str], kind: DeriveKind = DeriveKind.SERVER, status: ValueCondition | None = WELL
) -> DeriveRule:
    """Return a rule for requests.

    Args:
        request: Its kind; of any method.
        taken: Names that rules have.
        kind: Of the spans.
        status: What they are answered with; None for anything. By default they are answered well.
    """
    name = _name(request, taken)
    conditions = {ROUTE: ValueCondition(equals=request.route), _METHOD: ValueCondition(equals=request.method)}
    properties = {"duration_ms": "duration_ms"}
    if status is not None:
        conditions[STATUS_CODE] = status
        properties = {"status": "status_class", **properties}
    return DeriveRule(
        name, name, DeriveConditions(kind=(kind,), attributes=FrozenMap(conditions)), FrozenMap(properties)
    )


def status_like(span: SpanRecord) -> ValueCondition | None:
    """Return what a span is answered with, well or not; None where that is not known."""
    code = read_by_either_name(span.attributes, STATUS_CODE)
    if not isinstance(code, (int, float)) or isinstance(code, bool):
        return None
    return WELL if code <= _LAST_WELL else ValueCondition(min=_LAST_WELL + 1)


def is_route(text: str) -> bool:
    """Return whether a text is the template of a route, and no path with values in it."""
    return bool(_ROUTE_TEXT.fullmatch(text)) and not _NUMBER.search(text)


def _name(request: Request, taken: Collection[str]) -> str:
    """Return a name from the words of a route: `POST /tickets/{id}/close` is `tickets_close_submitted`."""
    words = _WORD.findall(_PARAMETER.sub(" ", request.route).lower()) or ["page"]
    verb = _VERBS.get(request.method, "requested")
    while len(words) > 1 and len("_".join([*words, verb])) > _MAX_NAME_CHARS - 2:
        del words[0]
    name = "_".join([*words, verb])[-(_MAX_NAME_CHARS - 2) :].lstrip("_0123456789")
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}{number}", number + 1
    return free
