"""Exported telemetry in, signals out: for those who add PostHog as one exporter more.

Comes in: spans and log records that a processor of the app's exports. Goes out: a `Signal` for each product event that
no processor of ours has taken. Runs on the exporting thread. An exporter sees sampled spans only, has no context to
read an identity from, and takes nothing off what other exporters get.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_posthog.intake.signals import log_signals, span_signals
from otel_posthog.model import Close, Flush, Signal, Submit
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.sdk import span_attributes

Caught = Callable[[str, BaseException], None]

# An item that a processor of ours has seen comes without its marks, and with all that a rule might go by: only what is
# marked, or was recorded on what is, has been taken by nobody.
_MARKS = Recogniser(Policy(), is_marked_only=True)


class _ExportIntake:
    """What both exporters do alike.

    Args:
        submit: Takes each signal.
        caught: `caught(place, error)` counts what goes wrong.
        flush: `flush(timeout_s)` waits until what was submitted is delivered.
        close: Called when the provider shuts down.
    """

    def __init__(self, submit: Submit, caught: Caught, *, flush: Flush, close: Close) -> None:
        self._submit, self._caught = submit, caught
        self._flush, self._close = flush, close

    def shutdown(self) -> None:
        """Deliver what is waiting, within the exit budget."""
        self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what was submitted is delivered."""
        return self._flush(timeout_millis / 1000)

    def _take(self, signals: Callable[[], Sequence[Signal]]) -> None:
        try:
            for signal in signals():
                self._submit(signal)
        except Exception as error:
            self._caught("exporter", error)


class SpanExportIntake(_ExportIntake, SpanExporter):
    """The span exporter that recognises product events.

    A span that a processor of ours has seen holds no product data any more, so that none is sent twice.

    Args:
        submit: Takes each signal.
        caught: `caught(place, error)` counts what goes wrong.
        flush: `flush(timeout_s)` waits until what was submitted is delivered.
        close: Called when the provider shuts down.
        recogniser: Returns the rules in force for what is marked; asked for each span that has a mark.
    """

    def __init__(
        self, submit: Submit, caught: Caught, *, flush: Flush, close: Close, recogniser: Callable[[], Recogniser]
    ) -> None:
        super().__init__(submit, caught, flush=flush, close=close)
        self._recogniser = recogniser

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Submit the product events among `spans`; the SDK has nothing to try again."""
        for span in spans:
            self._take(partial(self._signals, span))
        return SpanExportResult.SUCCESS

    def _signals(self, span: ReadableSpan) -> Sequence[Signal]:
        attributes = span_attributes(span)
        return span_signals(span, attributes, self._recogniser()) if span_signals(span, attributes, _MARKS) else ()


class LogExportIntake(_ExportIntake, LogRecordExporter):
    """The log record exporter that recognises product events, but those that are taken already."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Submit the product events in `batch`; the SDK has nothing to try again."""
        for item in batch:
            self._take(partial(log_signals, item, _MARKS))
        return LogRecordExportResult.SUCCESS
