"""Log records in, signals out.

Comes in: every log record that a logger emits, log-based events and stdlib `logging` alike. Goes out: a `Signal` for
each that is a product event. Runs on the application's threads. It never changes a record, which all processors share:
withholding product records from the operational side is the wrapped exporters' work.
"""

from __future__ import annotations

from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

from otel_posthog.errors import Guard
from otel_posthog.intake.signals import log_signals
from otel_posthog.model import Close, Flush, Submit
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser


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
            for signal in log_signals(log_record, self._recogniser):
                self._submit(signal)
        except Exception as error:
            self._guard.caught("log_intake", error)

    def shutdown(self) -> None:
        """Deliver what is waiting, within the exit budget."""
        self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what was submitted is delivered."""
        return self._flush(timeout_millis / 1000)
