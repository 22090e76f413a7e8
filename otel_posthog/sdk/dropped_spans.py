"""Dropped spans: the app's sampler drops them, they are recorded for product events, and its processors see none.

A provider calls one processor for all that it has, which hands on to the others. What is put in front of that one here
sees every recording span, on the app's thread and in its context; the app's processors get those that the app's sampler
keeps, in the order and on the threads that they would without us.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import TraceState

from otel_posthog.actor import CarriedScope
from otel_posthog.sdk.providers import safe_getattr, span_processors
from otel_posthog.sdk.spans import EndingSpanProcessor, is_sampled, trace_state_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanContext

IS_IN_FRONT = "_otel_posthog_in_front"

# By name: to look a member up in its enumeration takes as long as several calls in Python 3.10 and 3.11.
_DROP, _RECORD_ONLY = Decision.DROP, Decision.RECORD_ONLY


# Its trace state says so, which spans inside inherit from their parent.
_EMPTY = CarriedScope(None, is_dropped=True)


def dropped_state(state: TraceState | None) -> TraceState:
    """Return `state` as that of a span that the app's sampler dropped."""
    if type(state) is CarriedScope:
        return state if state.is_dropped else CarriedScope(state, state.scope, is_dropped=True)
    return CarriedScope(state, is_dropped=True) if state else _EMPTY


def recorded_state(state: TraceState | None) -> TraceState | None:
    """Return `state` as that of a span that the app's sampler has recorded."""
    if type(state) is not CarriedScope or not state.is_dropped:
        return state
    return TraceState(list(state.items())) if state.scope is None else CarriedScope(state, state.scope)


def is_dropped(span: ReadableSpan) -> bool:
    """Return whether `span` is recorded for product events only."""
    context = span.context
    state = context.trace_state
    # A sampler may hand its parent's state on to a span that it samples.
    return type(state) is CarriedScope and state.is_dropped and not is_sampled(context)


def put_in_front(provider: TracerProvider, ours: EndingSpanProcessor) -> bool:
    """Have `ours` see every recording span of `provider`, and the app's processors those that its sampler keeps.

    `ours` is not added to the provider, which may drop some of its own when one is. Where two providers have the same
    processor, the first of `ours` is the one.

    Returns:
        False where this SDK, or the processor that the app gave to the provider, has no place for that.
    """
    theirs = safe_getattr(provider, "_active_span_processor")
    if safe_getattr(theirs, IS_IN_FRONT) is not None:
        return True
    return theirs is not None and _stand_before(theirs, ours, _in_front(theirs, ours))


def is_in_front(provider: object, kind: type[SpanProcessor]) -> bool:
    """Return whether what stands in front of the provider's processors is one of a `kind`."""
    return isinstance(safe_getattr(safe_getattr(provider, "_active_span_processor"), IS_IN_FRONT), kind)


def divert_dropped(span: Span, ours: SpanProcessor) -> None:
    """Have `ours`, which was added to the provider of `span`, be the only one that sees dropped spans.

    Nothing changes where another one of us stands in front. No other processor sees the end of `span`, which starts.
    """
    theirs = safe_getattr(span, "_span_processor")
    if theirs is not ours and _divert(theirs, ours) and is_dropped(span):
        span._span_processor = ours  # noqa: SLF001


def divert_dropped_of_global(kind: type[SpanProcessor]) -> None:
    """Do the same before there is a span, where the global provider has a processor of ours, one of a `kind`."""
    provider = safe_getattr(trace, "_TRACER_PROVIDER")
    ours = next((each for each in span_processors(provider) or () if isinstance(each, kind)), None)
    if ours is not None:
        _divert(safe_getattr(provider, "_active_span_processor"), ours)


def _divert(theirs: Any, ours: SpanProcessor) -> bool:
    if theirs is None or safe_getattr(theirs, IS_IN_FRONT) is not None:
        return False
    return _stand_before(theirs, ours, {"on_start": _diverting(theirs.on_start, ours)})


def _stand_before(theirs: object, ours: SpanProcessor, methods: dict[str, Callable[..., object]]) -> bool:
    try:
        # Where an object takes this one, it takes the others.
        setattr(theirs, IS_IN_FRONT, ours)
    except AttributeError:
        return False
    for name, method in methods.items():
        setattr(theirs, name, method)
    return True


def _diverting(start: Callable[..., object], ours: SpanProcessor) -> Callable[..., object]:
    def on_start(span: Span, parent_context: Context | None = None) -> None:
        if is_dropped(span):
            _start_alone(span, parent_context, ours)
        else:
            start(span, parent_context=parent_context)

    return on_start


def _start_alone(span: Span, parent_context: Context | None, ours: SpanProcessor) -> None:
    # At its end the span calls no other processor.
    span._span_processor = ours  # noqa: SLF001
    ours.on_start(span, parent_context)


def _in_front(theirs: SpanProcessor, ours: EndingSpanProcessor) -> dict[str, Callable[..., object]]:
    """Return the methods that have `ours` come first, and alone for dropped spans; on each span, so plain closures."""
    start, flush, shut = theirs.on_start, theirs.force_flush, theirs.shutdown
    start_ours = ours.on_start

    def on_start(span: Span, parent_context: Context | None = None) -> None:
        # The first question is asked here too, since a call would cost each span as much as the rest of this.
        try:
            state = trace_state_of(span._context)  # noqa: SLF001
        except AttributeError:
            state = span.context.trace_state
        if type(state) is CarriedScope and is_dropped(span):
            _start_alone(span, parent_context, ours)
        else:
            start_ours(span, parent_context)
            start(span, parent_context=parent_context)

    def shutdown() -> None:
        try:
            shut()
        finally:
            ours.shutdown()

    def force_flush(timeout_millis: int = 30_000) -> bool:
        deadline = time.monotonic() + timeout_millis / 1000
        done = flush(timeout_millis) is not False
        return ours.force_flush(max(0, int((deadline - time.monotonic()) * 1000))) and done

    # Where this SDK tells of ending spans, there is nothing to do for us after that.
    if hasattr(theirs, "_on_ending"):
        ends = {"_on_ending": _one_after_the_other(ours.on_ending, theirs._on_ending)}  # noqa: SLF001
    else:
        ends = {"on_end": _one_after_the_other(ours.on_end, theirs.on_end)}
    return {"on_start": on_start, **ends, "shutdown": shutdown, "force_flush": force_flush}


def _one_after_the_other(
    first: Callable[[Any], object], second: Callable[[Any], object]
) -> Callable[[ReadableSpan], None]:
    def end(span: ReadableSpan) -> None:
        first(span)
        second(span)

    return end


class _Next(threading.local):
    """The span that a thread starts next: its tracer asks the sampler, and counts it then."""

    is_dropped = False


_next = _Next()
_has_looked = False


def count_next_as_dropped() -> None:
    """Have the SDK count the span that this thread is about to start as dropped, as it would without us.

    `otel.sdk.span.started` and `otel.sdk.span.live` are the app's. Older SDKs always count, later ones where they are
    asked to; and for a span that is recorded they count twice more, which takes longer than all that we do for it.
    """
    _next.is_dropped = True


def count_next_as_recorded() -> None:
    """Have it counted as what it is, whatever was said of one that was not counted."""
    _next.is_dropped = False


def count_as_dropped() -> None:
    """Have the SDK heed that; once in a process. Where it counts in another way it counts dropped spans as recorded."""
    global _has_looked
    if _has_looked:
        return
    _has_looked = True
    try:
        from opentelemetry.sdk.trace._tracer_metrics import TracerMetrics  # noqa: PLC0415 - not in every SDK
    except ImportError:
        return
    kind: Any = TracerMetrics
    start = getattr(kind, "start_span", None)
    if start is None or [*signature(start).parameters] != ["self", "parent_span_context", "sampling_decision"]:
        return

    @wraps(start)
    def start_span(self: object, parent_span_context: SpanContext | None, sampling_decision: Decision) -> Any:
        if _next.is_dropped:
            _next.is_dropped = False
            if sampling_decision is _RECORD_ONLY:
                sampling_decision = _DROP
        return start(self, parent_span_context, sampling_decision)

    kind.start_span = start_span
