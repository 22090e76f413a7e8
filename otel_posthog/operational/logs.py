"""Log records on their way to an operational exporter: product-only records withheld, the rest redacted copies."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

from otel_posthog.errors import Guard
from otel_posthog.model import GONE, PROCESSED
from otel_posthog.operational.redactor import Redactor
from otel_posthog.recogniser import EXCEPTION_TYPE, is_only_product_log
from otel_posthog.sdk import bounded, flush_exporter, item_attributes, shutdown_exporter


class RedactingLogRecordExporter(LogRecordExporter):
    """Wraps a log record exporter.

    Args:
        inner: The exporter that gets the clean records.
        redactor: The filter.
        guard: Counts what goes wrong; a record that could not be redacted is withheld.
    """

    def __init__(self, inner: LogRecordExporter, redactor: Redactor, guard: Guard) -> None:
        self.inner, self._redactor, self._guard = inner, redactor, guard

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export what of `batch` is operational, as redacted copies."""
        clean = [each for each in map(self._safely, batch) if each is not None]
        return self.inner.export(clean) if clean else LogRecordExportResult.SUCCESS

    def shutdown(self, timeout_millis: float | None = None) -> None:
        """Shut the inner exporter down, within the time that the SDK has left for it."""
        shutdown_exporter(self.inner, timeout_millis)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the inner exporter."""
        return flush_exporter(self.inner, timeout_millis)

    def _safely(self, item: ReadableLogRecord) -> ReadableLogRecord | None:
        try:
            return self._redacted(item)
        except Exception as error:
            self._guard.caught("redact_log", error)
            return None

    def _redacted(self, item: ReadableLogRecord) -> ReadableLogRecord | None:
        record, redactor = item.log_record, self._redactor
        given = item_attributes(record.attributes)
        if is_only_product_log(record.event_name, given, record.body):
            return None
        clean = copy.copy(record)
        clean.body = cast("Any", self._body(record.body))
        clean.event_name = redactor.text(record.event_name) if record.event_name else record.event_name
        clean.severity_text = redactor.text(record.severity_text) if record.severity_text else record.severity_text
        attributes = redactor.attributes(given)
        if EXCEPTION_TYPE in attributes:
            attributes = {**attributes, PROCESSED: True}
        if attributes is not given:
            clean.attributes = bounded(attributes, record.attributes)
        return replace(
            item,
            log_record=clean,
            resource=redactor.marked_resource(item.resource),
            instrumentation_scope=redactor.scope(item.instrumentation_scope),
        )

    def _body(self, body: object) -> object:
        if isinstance(body, str):
            return self._redactor.text(body)
        clean = self._redactor.value("body", body)
        return None if clean is GONE else clean
