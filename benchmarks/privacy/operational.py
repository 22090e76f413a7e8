"""The operational side as contender: every row an attribute of a span, through the real exporter to a real receiver.

A value that a span attribute cannot hold (a map, None) goes as the body of a log record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from benchmarks.privacy.corpus import Answer, Row
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import RedactingLogRecordExporter, RedactingSpanExporter, Redactor
from otel_posthog.policy import OperationalPolicy, PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink

_BATCH = 500
_INDEX = "row"


def through_otlp(rows: Sequence[Row]) -> list[Answer]:
    """Return what of each row's value arrives; None for an attribute that was taken off."""
    guard = Guard(Health())
    redactor = Redactor(OperationalPolicy(), Filter(PrivacyPolicy()), guard)
    found: dict[int, Any] = {}
    with OtlpSink() as sink:
        traces = RedactingSpanExporter(OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces"), redactor, guard)
        _send_spans(traces, rows)
        logs = LoggerProvider(shutdown_on_exit=False)
        exporter = RedactingLogRecordExporter(OTLPLogExporter(endpoint=f"{sink.url}/v1/logs"), redactor, guard)
        logs.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=10_000 + len(rows)))
        logger = logs.get_logger("corpus")
        for index, row in enumerate(rows):
            if not _is_attribute(row.value):
                logger.emit(LogRecord(timestamp=1, body={row.key: row.value}, attributes={_INDEX: index}))
        logs.shutdown()
        for span in sink.spans:
            index = span.attributes.pop(_INDEX)
            found[index] = next(iter(span.attributes.values()), None)
        for log in sink.logs:
            found[log.attributes[_INDEX]] = next(iter(log.body.values()), None)
    return [Answer(_as_sent(row.value, found[index])) for index, row in enumerate(rows)]


def _send_spans(exporter: SpanExporter, rows: Sequence[Row]) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("corpus")
    batch: list[Any] = []
    for index, row in enumerate(rows):
        if _is_attribute(row.value):
            span = tracer.start_span("row", attributes={row.key: row.value, _INDEX: index})
            span.end()
            batch.append(span)
        if len(batch) == _BATCH or (batch and index == len(rows) - 1):
            if exporter.export(batch) is not SpanExportResult.SUCCESS:
                raise RuntimeError("the receiver did not take a batch")
            batch = []
    if batch:
        exporter.export(batch)


def _is_attribute(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(
            type(each) is type(value[0]) and isinstance(each, (str, int, float)) for each in value
        )
    return isinstance(value, (str, bool, int, float))


def _as_sent(sent: object, arrived: object) -> object:
    """Return `arrived` in the type in which it was sent, where OTLP knows but one."""
    return list(arrived) if isinstance(sent, list) and isinstance(arrived, (list, tuple)) else arrived
