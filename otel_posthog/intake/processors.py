"""The processors: spans and log records in, signals out, on the app's threads.

Of every recording span, sampled or not, and of every log record: a `Signal` for each product event that it is or holds.
Then the span is stripped of them. A log record is never changed, as all processors share it: to withhold it is the
wrapped exporters' work. They recognise, hand over and detach, no more; they never raise, wait or keep a span alive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, Span

from otel_posthog.actor import kept_scope
from otel_posthog.errors import Guard
from otel_posthog.intake.acting import seen, started
from otel_posthog.intake.flags import Added
from otel_posthog.intake.signals import log_signals, see_added, span_signals
from otel_posthog.model import Attributes, Close, Flush, Signal, Submit
from otel_posthog.policy import Policy
from otel_posthog.recogniser import PREFIX, Recogniser
from otel_posthog.sdk import (
    EndingSpanProcessor,
    EvictedEvents,
    forget_evicted_events,
    is_first_to_take,
    is_plain,
    link_to_events,
    see_attributes,
    see_events,
    span_attributes,
    use_light_spans,
)

Detach = Callable[[Span], None]
Seen = tuple[ReadableSpan | ReadWriteLogRecord, Sequence[Signal]]
"""A span that has ended, or a log record and the signals that were made of it."""

_tap: Callable[[Seen], object] | None = None


def see_items(tap: Callable[[Seen], object] | None) -> None:
    """Have `tap` see every span and log record of this process from the next one on; None ends that.

    Args:
        tap: Called on the app's threads: it does nothing but keep what it is given, and raises nothing.
    """
    global _tap
    _tap = tap


class SpanIntake(EndingSpanProcessor):
    """The span processor that recognises product events.

    Args:
        submit: Takes each signal.
        detach: Takes product data off an ending span.
        guard: Counts what goes wrong.
        flush: `flush(timeout_s)` waits until what was submitted is delivered.
        close: Called when the provider shuts down.
        recogniser: The rules in force; by default the built-in policy's.
        light: Have spans that the app's sampler drops stood for by light ones, where this SDK lets it.
        listens: Whether anything is collected; if not, all that is done with a span is to strip it at its end.
    """

    def __init__(  # noqa: PLR0913 - what it needs of the pipeline comes by keyword
        self,
        submit: Submit,
        detach: Detach,
        guard: Guard,
        *,
        flush: Flush,
        close: Close,
        recogniser: Recogniser | None = None,
        light: bool = True,
        listens: bool = True,
    ) -> None:
        self._listens = listens
        self._submit, self._detach, self._guard = submit, detach, guard
        self._flush, self._close = flush, close
        self._recogniser = made = recogniser or Recogniser(Policy())
        self.evicted_events: type[EvictedEvents] = type(
            "_ProductEvents", (EvictedEvents,), {"is_wanted": staticmethod(made.keeps_evicted)}
        )
        self._ending_is_called = self._sees_events = False
        if listens:
            see_attributes(self._see)
        # Who has made a subclass that does more at a span's end is to hear of it.
        self.takes_light_spans = light and listens and type(self).on_end is SpanIntake.on_end and not use_light_spans()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Keep the product attributes that `span` starts with, and who acts there."""
        if not self._listens:
            return
        try:
            if self._recogniser.tells_flags and not self._sees_events:
                self._sees_events = True
                see_events(self._see_event)
            started(span, parent_context, self.evicted_events)
        except Exception as error:
            self._guard.caught("span_start", error)

    def on_ending(self, span: Span) -> None:
        """Submit what `span` holds of product events, and strip it, whatever became of the first."""
        self._ending_is_called = True
        # Of nearly every span: nothing comes of it, and there is nothing to take off.
        if is_plain(span) and not self._recogniser.looks_at_unmarked:
            if _tap is not None:
                _tap((span, ()))
            return
        is_product = False
        try:
            is_product = self._listens and self._read(span)
        except Exception as error:
            self._guard.caught("span_intake", error)
        finally:
            try:
                self._detach(span)
                if is_product and self._recogniser.events_url is not None:
                    link_to_events(span, self._recogniser.events_url)
            except Exception as error:
                self._guard.caught("span_detach", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Read the span here only where the SDK does not tell of ending spans; the exporters strip it then."""
        if self._ending_is_called or not self._listens:
            return
        try:
            self._read(span)
        except Exception as error:
            self._guard.caught("span_intake", error)

    def looks_at_unmarked(self) -> bool:
        """Return whether there are rules about spans that nobody has marked."""
        return self._recogniser.looks_at_unmarked

    def shutdown(self) -> None:
        """Deliver what is waiting, within the exit budget."""
        self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what was submitted is delivered."""
        return self._flush(timeout_millis / 1000)

    def _see_event(self, span: Span, name: str, attributes: Attributes | None, time_ns: int) -> None:
        try:
            see_added(span, Added(name, attributes, time_ns), self._recogniser)
        except Exception as error:
            self._guard.caught("span_events", error)

    def _see(self, span: Span, attributes: Attributes) -> None:
        try:
            seen(span, attributes)
        except Exception as error:
            self._guard.caught("span_attributes", error)

    def _read(self, span: ReadableSpan) -> bool:
        """Submit what `span` holds of product events; return whether that is any."""
        attributes, scope = span_attributes(span), kept_scope(span)
        if scope is not None:
            if scope.is_silent:
                return False
            if scope.started and span.dropped_attributes:
                product = {key: value for key, value in scope.started.items() if key.startswith(PREFIX)}
                attributes = {**product, **attributes}
            if self._recogniser.children and scope.record is not None and not scope.is_request:
                found = self._recogniser.children_in(attributes)
                if found:
                    scope.record.has_inside(found)
        signals = span_signals(span, attributes, self._recogniser)
        # Another one of us on the same provider remembers the span's start as well, whoever strips its end.
        is_taken = bool(signals) and is_first_to_take(span)
        if _tap is not None:
            _tap((span, signals if is_taken else ()))
        if is_taken:
            for signal in signals:
                self._submit(signal)
            self._guard.lost("span_events_limit", forget_evicted_events(span))
        return bool(signals)


class LogIntake(LogRecordProcessor):
    """The log record processor that recognises product events.

    Args:
        submit: Takes each signal.
        guard: Counts what goes wrong.
        flush: `flush(timeout_s)` waits until what was submitted is delivered.
        close: Called when the provider shuts down.
        recogniser: The rules in force; by default the built-in policy's.
    """

    def __init__(
        self, submit: Submit, guard: Guard, *, flush: Flush, close: Close, recogniser: Recogniser | None = None
    ) -> None:
        self._submit, self._guard = submit, guard
        self._flush, self._close, self._recogniser = flush, close, recogniser or Recogniser(Policy())

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Submit `log_record` if it is a product event."""
        try:
            signals = log_signals(log_record, self._recogniser)
            if _tap is not None:
                _tap((log_record, signals))
            for signal in signals:
                self._submit(signal)
        except Exception as error:
            self._guard.caught("log_intake", error)

    def shutdown(self) -> None:
        """Deliver what is waiting, within the exit budget."""
        self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what was submitted is delivered."""
        return self._flush(timeout_millis / 1000)
