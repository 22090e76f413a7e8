"""Spans that the app's sampler drops: ours see them, and no processor of the app's does, whatever it is."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import (
    ConcurrentMultiSpanProcessor,
    ReadableSpan,
    Span,
    SpanProcessor,
    SynchronousMultiSpanProcessor,
    TracerProvider,
)
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import TraceState

import otel_posthog
from otel_posthog import AnalyticsSampler, AnalyticsSpanProcessor
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import Lift
from otel_posthog.model import Signal
from otel_posthog.operational import Redactor
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.recogniser import Recogniser
from otel_posthog.setup.providers import attach_tracing
from otel_posthog.testing import FakePostHog

REMOTE_STATE = TraceState([("vendor", "1")])


class Seen(NamedTuple):
    """A call that a processor got."""

    method: str
    name: str
    is_sampled: bool
    trace_state: str
    parent: int | None
    attributes: tuple[tuple[str, object], ...]


class Bare(SpanProcessor):
    """A processor without an exporter, such as Sentry's; it keeps what it sees."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Keep a start."""
        self._see("start", span)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep an end."""
        self._see("end", span)

    def _see(self, method: str, span: ReadableSpan) -> None:
        context, parent = span.context, span.parent
        # What product data a start shows is not what this is about.
        kept = tuple((key, value) for key, value in (span.attributes or {}).items() if not key.startswith("analytics."))
        state = context.trace_state.to_header()
        self.seen.append(
            Seen(method, span.name, context.trace_flags.sampled, state, parent.span_id if parent else None, kept)
        )


class Ending(Bare):
    """One that is told of ending spans as well."""

    def _on_ending(self, span: Span) -> None:
        self._see("ending", span)


class OwnMulti(SpanProcessor):
    """A processor of somebody's own making that hands on to others, and shows none of them."""

    def __init__(self) -> None:
        self.all: list[SpanProcessor] = []

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add one, as the SDK's do."""
        self.all.append(span_processor)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Hand a start on."""
        for each in self.all:
            each.on_start(span, parent_context)

    def _on_ending(self, span: Span) -> None:
        for each in self.all:
            each._on_ending(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand an end on."""
        for each in self.all:
            each.on_end(span)


class OwnProvider(TracerProvider):
    """A subclass that adds in a way of its own."""

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add it inside another."""
        inner = SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call]
        inner.add_span_processor(span_processor)
        super().add_span_processor(inner)


Decisions = dict[str, tuple[Decision, bool]]


class Scripted(Sampler):
    """Decides by the span's name; the trace state is the parent's, as the SDK's samplers answer, or none.

    Args:
        decisions: Of each span, what is decided, and whether the parent's trace state is handed on.
    """

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions

    def should_sample(
        self, parent_context: Context | None, trace_id: int, name: str, kind: Any = None, *args: Any, **kwargs: Any
    ) -> SamplingResult:
        """Return what the script says."""
        decision, inherits = self._decisions[name]
        parent = trace.get_current_span(parent_context).get_span_context()
        attributes = kwargs.get("attributes", args[0] if args else None)
        attributes = None if decision is Decision.DROP else {**(attributes or {}), "sampler.said": decision.name}
        return SamplingResult(decision, attributes, parent.trace_state if inherits else None)

    def get_description(self) -> str:
        """Return its name."""
        return "Scripted"


class Ids(IdGenerator):
    """The same ids in every run."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def generate_span_id(self) -> int:
        """Return the next number."""
        return next(self._next)

    def generate_trace_id(self) -> int:
        """Return the next number."""
        return next(self._next)


@dataclass
class Step:
    """A span of the program: where it hangs, and whether it is a product event.

    Attributes:
        parent: Index of an earlier span, or None for a root; -1 has a remote parent with a trace state.
        is_event: Whether it is marked as a product event at its start.
    """

    parent: int | None
    decision: Decision
    inherits: bool
    is_event: bool


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    """Draw up to eight spans, each below an earlier one, a remote one or none."""
    number = draw(st.integers(1, 8))
    decisions = st.sampled_from(list(Decision))
    return [
        Step(
            draw(st.one_of(st.none(), st.integers(-1, n - 1))),
            draw(decisions),
            draw(st.booleans()),
            draw(st.booleans()),
        )
        for n in range(number)
    ]


def run(program: list[Step], provider: TracerProvider) -> None:
    """Start all spans, then end them, the last one first."""
    tracer = provider.get_tracer("t")
    remote = trace.NonRecordingSpan(trace.SpanContext(7, 8, is_remote=True, trace_state=REMOTE_STATE))
    spans: list[trace.Span] = []
    for number, step in enumerate(program):
        parent = None if step.parent is None else remote if step.parent == -1 else spans[step.parent]
        context = Context() if parent is None else trace.set_span_in_context(parent, Context())
        attributes: dict[str, str | int] = {"k": number, **({"analytics.event": f"s{number}"} if step.is_event else {})}
        spans.append(tracer.start_span(f"s{number}", context, attributes=attributes))
    for span in reversed(spans):
        span.end()


@contextmanager
def attached(provider: TracerProvider, signals: list[Signal]) -> Iterator[None]:
    """Attach a pipeline that keeps what it gets."""
    guard = Guard(Health())
    policy = Policy()
    pipeline: Any = SimpleNamespace(
        submit=signals.append, flush=lambda _: True, flush_for_exit=lambda: None, recogniser=Recogniser(policy)
    )
    redactor = Redactor(policy.operational, Filter(policy.privacy), guard)
    attach_tracing(provider, redactor, guard, pipeline=pipeline, lift=Lift.ALL)
    yield
    provider.shutdown()


def nested(kind: Callable[[], Any], *inside: SpanProcessor) -> SpanProcessor:
    """Return a processor that hands on to others."""
    multi = kind()
    for each in inside:
        multi.add_span_processor(each)
    made: SpanProcessor = multi
    return made


PROVIDERS: dict[str, Callable[[], TracerProvider]] = {
    "sdk": partial(TracerProvider, shutdown_on_exit=False),
    "concurrent": lambda: TracerProvider(
        active_span_processor=ConcurrentMultiSpanProcessor(num_threads=2), shutdown_on_exit=False
    ),
    "own multi": lambda: TracerProvider(active_span_processor=OwnMulti(), shutdown_on_exit=False),  # type: ignore[arg-type]
    "own provider": partial(OwnProvider, shutdown_on_exit=False),
}


def what_processors_see(kind: str, program: list[Step], signals: list[Signal] | None) -> list[list[Seen]]:
    """Run `program` and return what each of the app's processors saw; with us where `signals` takes the events."""
    provider = PROVIDERS[kind]()
    provider.id_generator = Ids()  # type: ignore[assignment]
    provider.sampler = Scripted({f"s{n}": (step.decision, step.inherits) for n, step in enumerate(program)})
    provider.get_tracer("t")  # one that is made before us
    bare = [Bare(), Ending(), Bare(), Ending(), Bare()]
    provider.add_span_processor(bare[0])
    provider.add_span_processor(nested(SynchronousMultiSpanProcessor, bare[1]))
    provider.add_span_processor(nested(ConcurrentMultiSpanProcessor, bare[2]))
    if signals is None:
        provider.add_span_processor(bare[3])
        provider.add_span_processor(span_processor=nested(OwnMulti, bare[4]))
        run(program, provider)
        provider.shutdown()
    else:
        with attached(provider, signals):
            provider.add_span_processor(bare[3])
            provider.add_span_processor(span_processor=nested(OwnMulti, bare[4]))
            run(program, provider)
    return [each.seen for each in bare]


@pytest.mark.parametrize("kind", PROVIDERS)
@settings(max_examples=40)
@given(program=programs())
def test_processors_see_the_spans_that_the_sampler_keeps_and_no_others(kind: str, program: list[Step]) -> None:
    """Starts and ends, before and after set-up, nested, concurrent, of one's own making: as without us; events all."""
    signals: list[Signal] = []
    with_us = what_processors_see(kind, program, signals)
    assert with_us == what_processors_see(kind, program, None)
    assert sorted(each.name for each in signals) == sorted(f"s{n}" for n, step in enumerate(program) if step.is_event)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_who_acts_is_known_whatever_threads_processors_run_on(kind: str) -> None:
    """The context is the app's thread's, also where the SDK calls processors on threads of a pool."""
    signals: list[Signal] = []
    provider = PROVIDERS[kind]()
    with attached(provider, signals):
        for sampler in (provider.sampler, AnalyticsSampler(ALWAYS_OFF)):
            provider.sampler = sampler
            with otel_posthog.user_context("ada"):
                provider.get_tracer("t").start_span("n", attributes={"analytics.event": "e"}).end()
    assert [each.context.user_id if each.context else None for each in signals] == ["ada", "ada"]


def test_two_providers_may_have_one_processor() -> None:
    """What both share is prepared once: each event once."""
    multi, signals, bare = SynchronousMultiSpanProcessor(), list[Signal](), Bare()  # type: ignore[no-untyped-call]
    multi.add_span_processor(bare)
    made = [TracerProvider(sampler=ALWAYS_OFF, active_span_processor=multi, shutdown_on_exit=False) for _ in range(2)]
    with attached(made[0], signals), attached(made[1], signals):
        for provider in made:
            provider.get_tracer("t").start_span("n", attributes={"analytics.event": "e"}).end()
    assert [each.name for each in signals] == ["e", "e"]
    assert bare.seen == []


def test_shutdown_and_flush_reach_ours_and_theirs() -> None:
    """Also where one of the app's processors fails at it."""
    called: list[str] = []

    class Failing(SpanProcessor):
        def shutdown(self) -> None:
            called.append("their shutdown")
            raise OSError

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            called.append("their flush")
            return True

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Failing())
    guard, policy = Guard(Health()), Policy()
    pipeline: Any = SimpleNamespace(
        submit=print,
        flush=lambda _: called.append("flush"),
        flush_for_exit=lambda: called.append("close"),
        recogniser=Recogniser(policy),
    )
    redactor = Redactor(policy.operational, Filter(policy.privacy), guard)
    attach_tracing(provider, redactor, guard, pipeline=pipeline, lift=Lift.ALL)
    assert not provider.force_flush()
    with pytest.raises(OSError):
        provider.shutdown()
    assert called == ["their flush", "flush", "their shutdown", "close"]


def test_where_ours_cannot_stand_in_front_no_dropped_span_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    """For a processor that takes no attribute, say: the app's see what they would without us, and one line says so."""

    class Slotted(OwnMulti):
        """Takes no further attribute."""

        __slots__ = ()

        def __setattr__(self, name: str, value: object) -> None:
            if name != "all":
                raise AttributeError(name)
            super().__setattr__(name, value)

    signals, bare = list[Signal](), Bare()
    provider = TracerProvider(
        active_span_processor=Slotted(),  # type: ignore[arg-type]
        sampler=Scripted({"kept": (Decision.RECORD_AND_SAMPLE, True), "dropped": (Decision.DROP, True)}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(bare)
    with attached(provider, signals):
        for name in ("kept", "dropped"):
            provider.get_tracer("t").start_span(name, attributes={"analytics.event": name}).end()
    assert [each.name for each in signals] == ["kept"]
    assert {each.name for each in bare.seen} == {"kept"}
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([line for line in told if "cannot be kept from the processors of this TracerProvider" in line]) == 1


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_global", [True, False])
def test_with_components_and_sampler_other_processors_see_no_dropped_span(
    is_first: bool, is_global: bool, fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch, not_set_up: None
) -> None:
    """The processor of ours that somebody adds takes them all, wherever in the list it is.

    Which provider it was added to it learns by the first span, if that is not the global one.
    """
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    bare = Bare()
    provider = TracerProvider(sampler=AnalyticsSampler(ALWAYS_OFF), shutdown_on_exit=False)
    if is_global:
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    for each in [AnalyticsSpanProcessor(), bare][:: 1 if is_first else -1]:
        provider.add_span_processor(each)
    for number in range(3):
        provider.get_tracer("t").start_span(f"s{number}", attributes={"analytics.event": "e"}).end()
    seen = {(each.method, each.name) for each in bare.seen}
    assert seen == (set() if is_global else {("start", "s0")})
    assert otel_posthog.flush()
    assert len(fake_posthog.events) == 3
    provider.shutdown()
