"""An app whose spans are sampled, dropped and light, or dropped and recorded whole; the same clock and ids in each."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import TraceState

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import Lift, LogIntake
from otel_posthog.model import Signal
from otel_posthog.operational import Redactor
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import IdentityMode
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.privacy import Filter
from otel_posthog.recogniser import Recogniser
from otel_posthog.sdk import items
from otel_posthog.setup.providers import attach_tracing
from otel_posthog.stages import Stages, clean_events

TEXT = """
exceptions: {mode: frames, recorded_on: all}
destinations: [{api_key: phc_test}]
privacy: {allow: [free_text]}
derive:
  - name: posted
    event: post_created
    when:
      kind: [server]
      child: {db.operation.name: INSERT}
  - name: failed
    event: call_failed
    when: {kind: [client], status: [error]}
  - name: noted
    event: note_taken

    when: {signal: span_event, event_name: [note]}
"""


POLICY = parse_policy(TEXT, source="p")
PLAIN = replace(POLICY, derive=())


class Custom(Sampler):
    """Drops and records by the length of a span's name, with a trace state of its own."""

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *args: Any, **given: Any) -> SamplingResult:
        """Decide."""
        attributes = args[1] if len(args) > 1 else given.get("attributes")
        decision = list(Decision)[len(name) % 3]
        kept = None if decision is Decision.DROP else attributes
        return SamplingResult(decision, kept, TraceState([("vendor", str(len(name)))]))

    def get_description(self) -> str:
        """Return its name."""
        return "custom"


SAMPLERS: dict[str, Sampler] = {
    "always_on": ALWAYS_ON,
    "always_off": ALWAYS_OFF,
    "ratio": TraceIdRatioBased(0.5),
    "parent-based": ParentBasedTraceIdRatio(0.5),
    "custom": Custom(),
}


class Ids(IdGenerator):
    """The same ids in each run."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def generate_span_id(self) -> int:
        """Return the next id."""
        return next(self._next)

    def generate_trace_id(self) -> int:
        """Return the next id, spread over the ratio's range."""
        return (1 << 64) | (next(self._next) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)


@cache
def prepared(mode: str, *, rules: bool) -> tuple[Stages, Recogniser, Redactor, Guard]:
    """Return what an identity mode's apps have in common, which keeps nothing of one of them."""
    policy, health = (POLICY if rules else PLAIN).with_identity(IdentityMode(mode)), Health()
    guard = Guard(health)
    pipeline = Pipeline(policy, installation_id="i", health=health, guard=guard)
    return pipeline.stages, pipeline.recogniser, Redactor(policy.operational, Filter(policy.privacy), guard), guard


class App:
    """An app's providers under one sampler, and the bytes of its events.

    Args:
        sampler: Of the traces.
        mode: The identity mode.
        rules: Whether there are rules about spans that nobody has marked.
        light: Whether light spans are allowed.
        limits: Of the spans.
        processor: One of the app's own.
    """

    def __init__(
        self,
        sampler: Sampler,
        *,
        mode: str = "identified",
        rules: bool = True,
        light: bool = True,
        limits: SpanLimits | None = None,
        processor: SpanProcessor | None = None,
    ) -> None:
        self.bodies: list[bytes] = []
        self.signals: list[Signal] = []
        self.kinds: list[type] = []
        self.looks: list[Any] = []
        self._stages, found, redactor, guard = prepared(mode, rules=rules)
        outlet: Any = SimpleNamespace(submit=self._submit, flush=bool, flush_for_exit=lambda: None, recogniser=found)
        resource = Resource({"service.name": "helpdesk"})
        self.provider = TracerProvider(
            sampler=sampler, shutdown_on_exit=False, resource=resource, id_generator=Ids(), span_limits=limits
        )
        if processor is not None:
            self.provider.add_span_processor(processor)
        attach_tracing(self.provider, redactor, guard, pipeline=outlet, lift=Lift.ALL, light=light)
        self.tracer = self.provider.get_tracer("t")
        self.loggers = LoggerProvider(shutdown_on_exit=False, resource=resource)
        self.loggers.add_log_record_processor(
            LogIntake(self._submit, guard, flush=bool, close=lambda: None, recogniser=found)
        )
        self.logger = self.loggers.get_logger("l")

    @property
    def undecided(self) -> list[bytes]:
        """The bytes of its events without the one property that says what the sampler decided."""
        return [re.sub(rb'"trace_sampled":(true|false),', b"", each) for each in self.bodies]

    def close(self) -> None:
        """Shut all of it down."""
        self.provider.shutdown()
        self.loggers.shutdown()

    def _submit(self, signal: Signal) -> None:
        self.signals.append(signal)
        self.bodies += [bytes(each.body) for each in clean_events(self._stages.outcomes(signal))]


@contextmanager
def app(sampler: Sampler, **given: Any) -> Iterator[App]:
    """Yield an app, with a clock that ticks the same in each run, in a context of its own."""
    made, now = App(sampler, **given), itertools.count(1_700_000_000_000_000_000, 1_000_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdk_trace, "time_ns", lambda: next(now))
        patch.setattr(items, "_taken", itertools.count(1))  # log records are numbered in a process
        try:
            yield made
        finally:
            made.close()
