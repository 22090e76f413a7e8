"""Spans in, signals out.

Comes in: every recording span, sampled or not. Goes out: a `Signal` for the span if it is a product event and for each
of its span events that is one; then the span is stripped of them. Runs on the application's threads: it recognises,
hands over and detaches, nothing more, and it never raises, waits or keeps a span alive.
"""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span

from otel_posthog.actor import kept_scope
from otel_posthog.errors import Guard
from otel_posthog.intake.acting import acting_at_end, seen, started
from otel_posthog.intake.items import ExceptionsInForce, is_product_event, span_items
from otel_posthog.model import NO_ATTRIBUTES, Attributes, Close, Flush, Signal, Source, Submit
from otel_posthog.policy import ExceptionPolicy
from otel_posthog.route import PREFIX, product_name
from otel_posthog.sdk import (
    EndingSpanProcessor,
    EvictedEvents,
    forget_evicted_events,
    is_first_to_take,
    keep_evicted_events,
    recorded_events,
    see_attributes,
    span_attributes,
    span_end,
)

Detach = Callable[[Span], None]


# By name: to look a member up in its enumeration takes as long as several calls in Python 3.10 and 3.11.
_SPAN = Source.SPAN


class _ProductEvents(EvictedEvents):
    """The events of a span of which the evicted product events are kept."""

    is_wanted = staticmethod(is_product_event)


class SpanIntake(EndingSpanProcessor):
    """The span processor that recognises product events.

    Args:
        submit: Takes each signal.
        detach: Takes product data off an ending span.
        guard: Counts what goes wrong.
        flush: `flush(timeout_s)` waits until what was submitted is delivered.
        close: Called when the provider shuts down.
        exceptions: Returns the policy on recorded exceptions; asked for each span that has one.
    """

    def __init__(  # noqa: PLR0913 - what it needs of the pipeline comes by keyword
        self,
        submit: Submit,
        detach: Detach,
        guard: Guard,
        *,
        flush: Flush,
        close: Close,
        exceptions: ExceptionsInForce = ExceptionPolicy,
    ) -> None:
        self._submit, self._detach, self._guard = submit, detach, guard
        self._flush, self._close, self._exceptions = flush, close, exceptions
        self._ending_is_called = False
        see_attributes(self._see)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Keep the product attributes that `span` starts with, and who acts there."""
        try:
            keep_evicted_events(span, _ProductEvents)
            started(span, parent_context)
        except Exception as error:
            self._guard.caught("span_start", error)

    def on_ending(self, span: Span) -> None:
        """Submit what `span` holds of product events, and strip it, whatever became of the first."""
        self._ending_is_called = True
        try:
            self._read(span)
        except Exception as error:
            self._guard.caught("span_intake", error)
        finally:
            try:
                self._detach(span)
            except Exception as error:
                self._guard.caught("span_detach", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Read the span here only where the SDK does not tell of ending spans; the exporters strip it then."""
        if self._ending_is_called:
            return
        try:
            self._read(span)
        except Exception as error:
            self._guard.caught("span_intake", error)

    def shutdown(self) -> None:
        """Deliver what is waiting, within the exit budget."""
        self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what was submitted is delivered."""
        return self._flush(timeout_millis / 1000)

    def _see(self, span: Span, attributes: Attributes) -> None:
        try:
            seen(span, attributes)
        except Exception as error:
            self._guard.caught("span_attributes", error)

    def _read(self, span: ReadableSpan) -> None:
        attributes, scope = span_attributes(span), kept_scope(span)
        if scope is not None:
            if scope.is_silent:
                return
            if scope.started and span.dropped_attributes:
                product = {key: value for key, value in scope.started.items() if key.startswith(PREFIX)}
                attributes = {**product, **attributes}
        signals = span_signals(span, attributes, self._exceptions)
        # Another one of us on the same provider remembers the span's start as well, whoever strips its end.
        if signals and is_first_to_take(span):
            for signal in signals:
                self._submit(signal)
            self._guard.lost("span_events_limit", forget_evicted_events(span))


def span_signals(span: ReadableSpan, attributes: Attributes, exceptions: ExceptionsInForce) -> list[Signal]:
    """Return the product events of an ending or ended span: the span itself and its events.

    Args:
        span: The span.
        attributes: Its attributes, with those that it has lost since it started.
        exceptions: Returns the policy on exceptions.
    """
    events = recorded_events(span)
    if not events:
        # Of most spans; what follows would be most of what a product event costs the thread that makes it.
        name = product_name(None, attributes)
        return [] if name is None else [_span_signal(span, name, attributes, span.dropped_attributes)]
    found = span_items(attributes, events, span.end_time or 0, exceptions, dropped_attributes=span.dropped_attributes)
    if not found:
        return []
    identity = acting_at_end(span)
    trace_id, span_id, _, resource = span_end(span)
    return [item.signal(trace_id=trace_id, span_id=span_id, resource=resource, context=identity) for item in found]


def _span_signal(span: ReadableSpan, name: str, attributes: Attributes, dropped: int) -> Signal:
    trace_id, span_id, end_ns, resource = span_end(span)
    return Signal(
        _SPAN,
        name,
        dict(attributes),
        end_ns,
        trace_id,
        span_id,
        resource,
        acting_at_end(span),
        end_ns,
        0,
        NO_ATTRIBUTES,
        dropped,
    )
