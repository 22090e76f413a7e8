"""Exported telemetry in, signals out: for those who add PostHog as one exporter more.

Comes in: spans and log records that a processor of the app's exports. Goes out: a `Signal` for each product event that
no processor of ours has taken. Runs on the exporting thread. An exporter sees sampled spans only, has no context to
read an identity from, and takes nothing off what other exporters get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_posthog.intake.items import ExceptionsInForce
from otel_posthog.intake.logs import log_signal
from otel_posthog.intake.spans import span_signals
from otel_posthog.model import Close, Flush, Signal, Submit
from otel_posthog.sdk import span_attributes

Caught = Callable[[str, BaseException], None]


class _ExportIntake:
    """What both exporters do alike.

    Args:
        submit: Takes each signal.
        caught: `caught(place, error)` counts what goes wrong.
        flush: `flush(timeout_s)` waits until what was submitted is delivered.
        close: Called when the provider shuts down.
        exceptions: Returns the policy on recorded exceptions. A processor of ours leaves those on the span, so that
            this may take only such as are on a product item, which nobody has taken then.
    """

    def __init__(
        self, submit: Submit, caught: Caught, *, flush: Flush, close: Close, exceptions: ExceptionsInForce
    ) -> None:
        self._submit, self._caught = submit, caught
        self._flush, self._close, self._exceptions = flush, close, exceptions

    def shutdown(self) -> None:
        """Deliver what is waiting, within the exit budget."""
        self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what was submitted is delivered."""
        return self._flush(timeout_millis / 1000)

    def _take(self, signals: Callable[[], Iterable[Signal]]) -> None:
        try:
            for signal in signals():
                self._submit(signal)
        except Exception as error:
            self._caught("exporter", error)


class SpanExportIntake(_ExportIntake, SpanExporter):
    """The span exporter that recognises product events.

    A span that a processor of ours has seen holds no product data any more, so that none is sent twice.
    """

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Submit the product events among `spans`; the SDK has nothing to try again."""
        for span in spans:
            self._take(partial(span_signals, span, span_attributes(span), self._exceptions))
        return SpanExportResult.SUCCESS


class LogExportIntake(_ExportIntake, LogRecordExporter):
    """The log record exporter that recognises product events, but those that are taken already."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Submit the product events in `batch`; the SDK has nothing to try again."""
        for item in batch:
            self._take(partial(self._signals, item))
        return LogRecordExportResult.SUCCESS

    def _signals(self, item: ReadableLogRecord) -> Iterable[Signal]:
        signal = log_signal(item, self._exceptions)
        return () if signal is None else (signal,)
