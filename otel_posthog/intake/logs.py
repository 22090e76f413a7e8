"""Log records in, signals out.

Comes in: every log record that a logger emits, log-based events and stdlib `logging` alike. Goes out: a `Signal` for
each that is a product event. Runs on the application's threads. It never changes a record, which all processors share:
withholding product records from the operational side is the wrapped exporters' work.
"""

from __future__ import annotations

from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord

from otel_posthog.errors import Guard
from otel_posthog.intake.acting import acting
from otel_posthog.intake.items import ExceptionsInForce, log_name
from otel_posthog.model import Close, Flush, Signal, Source, Submit
from otel_posthog.policy import ExceptionPolicy
from otel_posthog.sdk import is_first_to_take, item_attributes, taken_as


class LogIntake(LogRecordProcessor):
    """The log record processor that recognises product events.

    Args:
        submit: Takes each signal.
        guard: Counts what goes wrong.
        flush: `flush(timeout_s)` waits until what was submitted is delivered.
        close: Called when the provider shuts down.
        exceptions: Returns the policy on recorded exceptions; asked for each record that tells of one.
    """

    def __init__(
        self,
        submit: Submit,
        guard: Guard,
        *,
        flush: Flush,
        close: Close,
        exceptions: ExceptionsInForce = ExceptionPolicy,
    ) -> None:
        self._submit, self._guard = submit, guard
        self._flush, self._close, self._exceptions = flush, close, exceptions

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Submit `log_record` if it is a product event."""
        try:
            signal = log_signal(log_record, self._exceptions)
            if signal is not None:
                self._submit(signal)
        except Exception as error:
            self._guard.caught("log_intake", error)

    def shutdown(self) -> None:
        """Deliver what is waiting, within the exit budget."""
        self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until what was submitted is delivered."""
        return self._flush(timeout_millis / 1000)


def log_signal(item: ReadWriteLogRecord | ReadableLogRecord, exceptions: ExceptionsInForce) -> Signal | None:
    """Return the product event that a log record is; None for an operational one, and for one that was taken before.

    A processor and an exporter of ours may both see a record: who comes first takes it.
    """
    record = item.log_record
    attributes = item_attributes(record.attributes)
    name = log_name(record.event_name, attributes, exceptions)
    if name is None or not is_first_to_take(record.attributes):
        return None
    observed_ns = record.observed_timestamp or 0
    resource = item.resource.attributes if item.resource else None
    return Signal(
        Source.LOG,
        name,
        dict(attributes),
        # Data model: use the time of the event, and the time it was observed where that is unknown.
        record.timestamp or observed_ns,
        trace_id=record.trace_id or 0,
        span_id=record.span_id or 0,
        resource=item_attributes(resource),
        context=acting(record.context),
        observed_time_ns=observed_ns,
        # Clocks tick in milliseconds on some systems, and an app may give several records one time.
        repeat_index=taken_as(record.attributes),
        dropped_attributes=item.dropped_attributes,
    )
