"""The benchmark `derive`: what a span that no rule is about costs more, with every rule on that comes with the package.

In this process, with ended spans of the SDK, by the same function that the span processor calls. Without rules, with
all of them, and with forty more that are about one span in a thousand, in turn and in blocks of a few dozen
microseconds: of each round the fastest block counts, as what else runs on a machine only ever adds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanKind

from benchmarks.report import Result, Say, Spread, table
from otel_posthog.intake.signals import span_signals
from otel_posthog.policy import DeriveConditions, DeriveRule, FrozenMap, Policy, ValueCondition
from otel_posthog.policy.shipped_rules import GROUPS
from otel_posthog.recogniser import Recogniser
from otel_posthog.sdk import span_attributes

NAME = "derive"
ROUNDS = 20
_BLOCKS, _SPANS = 40, 50
OLD = {"http.method": "GET", "http.status_code": 200, "http.target": "/orders/1", "http.scheme": "http"}
NEW = {"http.request.method": "GET", "http.response.status_code": 200, "url.path": "/orders/1", "url.scheme": "http"}
UNMATCHED: dict[str, tuple[SpanKind, dict[str, Any]]] = {
    "internal": (SpanKind.INTERNAL, {"a": 1, "b": "x"}),
    "internal, of ASGI": (SpanKind.INTERNAL, {"asgi.event.type": "http.response.start", "http.status_code": 200}),
    "producer": (SpanKind.PRODUCER, {"celery.task_name": "x", "messaging.destination": "celery"}),
    "health check": (SpanKind.SERVER, {**OLD, "http.route": "/health"}),
    "health check, new": (SpanKind.SERVER, {**NEW, "http.route": "/health"}),
    "unknown path": (SpanKind.SERVER, {**OLD, "http.status_code": 404}),
    "gRPC server": (SpanKind.SERVER, {"rpc.system": "grpc", "rpc.method": "x"}),
    "fast query": (SpanKind.CLIENT, {"db.system": "postgresql", "db.statement": "select 1", "db.name": "x"}),
    "fast query, new": (SpanKind.CLIENT, {"db.system.name": "postgresql", "db.query.text": "select 1"}),
    "call": (SpanKind.CLIENT, {"http.method": "GET", "http.url": "http://a/b", "http.status_code": 200}),
    "call, new": (SpanKind.CLIENT, {**NEW, "server.address": "a"}),
    "gRPC client": (SpanKind.CLIENT, {"rpc.system": "grpc", "rpc.method": "x"}),
    "messages": (SpanKind.CONSUMER, {"messaging.system": "kafka", "messaging.operation": "receive"}),
}
"""Spans that no rule is about which comes with the package."""

ALL = Policy(derive=GROUPS)
RARE = tuple(
    DeriveRule(f"rare{at}", "a", DeriveConditions(attributes=FrozenMap({key: ValueCondition(equals="rare")})))
    for at, key in enumerate(["app.plan", "http.route", "db.namespace", "messaging.system"] * 10)
)
"""Rules that are about hardly any span."""

HEAD = """\
derive: what a span that no rule is about costs more than without rules, with {rules} rules on, and with {rare} more
{rounds} rounds; in each, the fastest of {blocks} blocks of {spans} spans, by turns; us for each span
"""


def ended(provider: TracerProvider, what: str) -> ReadableSpan:
    """Return a span of `UNMATCHED` that has ended."""
    kind, attributes = UNMATCHED[what]
    span: Any = provider.get_tracer("t").start_span("op", kind=kind, attributes=attributes)
    span.end()
    return span  # type: ignore[no-any-return]


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments of this benchmark: none of its own."""
    group.description = "takes no arguments of its own"


def run(arguments: argparse.Namespace, say: Say) -> Result:
    """Run all rounds."""
    rounds = arguments.rounds or ROUNDS
    policies = (Policy(), ALL, Policy(derive=(*GROUPS, *RARE)))
    rules = [Recogniser(each) for each in policies]
    provider, rows, figures = TracerProvider(shutdown_on_exit=False), [("", "without us", "more us", "and rare us")], {}
    for what in UNMATCHED:
        span = ended(provider, what)
        made = [_round([_block(span, each) for each in rules]) for _ in range(rounds)]
        without, more, rare = (Spread.of(each) for each in zip(*((a, b - a, c - a) for a, b, c in made), strict=True))
        rows.append((what, without.shown(2), more.shown(2), rare.shown(2)))
        figures[what] = {"without_us": without.figures(), "more_us": more.figures(), "and_rare_us": rare.figures()}
    say("derive: done")
    head = HEAD.format(rules=len(ALL.derive_rules), rare=len(RARE), rounds=rounds, blocks=_BLOCKS, spans=_SPANS)
    return Result(f"{head}\n{table(rows)}", {"rounds": rounds, "spans": figures})


def _block(span: ReadableSpan, rules: Recogniser) -> Callable[[], float]:
    attributes = span_attributes(span)

    def took_us() -> float:
        began = time.perf_counter_ns()
        for _ in range(_SPANS):
            span_signals(span, attributes, rules)
        return (time.perf_counter_ns() - began) / _SPANS / 1000

    return took_us


def _round(blocks: list[Callable[[], float]]) -> list[float]:
    return [min(each) for each in zip(*([block() for block in blocks] for _ in range(_BLOCKS)), strict=True)]
