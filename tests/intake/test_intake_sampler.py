"""The sampler: product events survive, the operational trace does not change."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    Decision,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)

from otel_posthog import AnalyticsSampler
from otel_posthog.intake import Lift

SAMPLERS = [ALWAYS_ON, ALWAYS_OFF, DEFAULT_ON, DEFAULT_OFF, TraceIdRatioBased(0.1), ParentBasedTraceIdRatio(0.1)]


class Counting(IdGenerator):
    """Trace ids spread evenly over the ratio sampler's range, the same in every run."""

    def __init__(self) -> None:
        self._next = 0

    def generate_span_id(self) -> int:
        """Return the next id."""
        self._next += 1
        return self._next

    def generate_trace_id(self) -> int:
        """Return the next id, its low 64 bits spread by the golden ratio."""
        self._next += 1
        return (1 << 64) | (self._next * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)


def exported(sampler: Sampler) -> list[tuple[str, int, int, int | None]]:
    """Return name, trace, span and parent of what a fixed program's exporter gets under `sampler`."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, id_generator=Counting(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("t")
    remote = [
        trace.set_span_in_context(
            trace.NonRecordingSpan(trace.SpanContext(7, 8, is_remote=True, trace_flags=trace.TraceFlags(flag)))
        )
        for flag in (0, 1)
    ]
    for number in range(200):
        parents = [None, *remote]
        with tracer.start_as_current_span(f"root{number}", context=parents[number % 3]):
            with tracer.start_as_current_span("child", attributes={"analytics.event": "e"}):
                tracer.start_span("grandchild").end()
            tracer.start_span("linked", links=[trace.Link(trace.get_current_span().get_span_context())]).end()
    provider.shutdown()
    return [
        (each.name, each.context.trace_id, each.context.span_id, each.parent.span_id if each.parent else None)
        for each in exporter.get_finished_spans()
    ]


@pytest.mark.parametrize("lift", list(Lift))
@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda each: each.get_description())
def test_the_operational_trace_is_span_for_span_the_same(sampler: Sampler, lift: Lift) -> None:
    """With and without us the exporter gets the same spans, under every sampler and every kind of parent."""
    assert exported(AnalyticsSampler(sampler, lift)) == exported(sampler)


def test_a_dropped_span_is_recorded_with_its_attributes() -> None:
    """DROP becomes RECORD_ONLY, with the attributes that a DROP result leaves out."""
    result = AnalyticsSampler(ALWAYS_OFF).should_sample(None, 1, "n", attributes={"a": 1})
    assert result.decision is Decision.RECORD_ONLY
    assert dict(result.attributes or {}) == {"a": 1}


def test_marked_lifts_only_what_is_marked_at_start() -> None:
    """The cheaper mode records spans with an `analytics.*` attribute and leaves the others dropped."""
    sampler = AnalyticsSampler(ALWAYS_OFF, "marked")
    marked = sampler.should_sample(None, 1, "n", attributes={"analytics.event": "e"})
    assert marked.decision is Decision.RECORD_ONLY
    assert sampler.should_sample(None, 1, "n", attributes={"a": 1}).decision is Decision.DROP


def test_every_other_decision_is_passed_on_as_it_is() -> None:
    """The inner sampler's own result object comes back."""
    inner = ALWAYS_ON
    result = AnalyticsSampler(inner).should_sample(None, 1, "n", attributes={"a": 1})
    assert result.decision is Decision.RECORD_AND_SAMPLE
    assert "AlwaysOnSampler" in AnalyticsSampler(inner).get_description()


@pytest.mark.parametrize("key", [1, None, b"analytics.event"])
def test_a_key_that_is_no_text_raises_nothing_into_the_app(key: object) -> None:
    """The sampler is asked before the SDK has checked the attributes."""
    provider = TracerProvider(sampler=AnalyticsSampler(ALWAYS_OFF, Lift.MARKED), shutdown_on_exit=False)
    tracer = provider.get_tracer("test")
    plain = tracer.start_span("op", attributes={key: 1})  # type: ignore[dict-item]
    marked = tracer.start_span("op", attributes={key: 1, "analytics.event": "e"})  # type: ignore[dict-item]
    assert (plain.is_recording(), marked.is_recording()) == (False, True)
