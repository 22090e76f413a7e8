"""The operational side of an item: each of its texts and attributes, and what is left of it there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_posthog.inspection.explanation import Kept, MetricPoint, Operational
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.model import GONE, Attributes, Receipt
from otel_posthog.operational import Redactor
from otel_posthog.privacy import Filter
from otel_posthog.recogniser import is_only_product_event, is_only_product_log


class OperationalSide:
    """The operational side of one policy.

    Args:
        redactor: Its filter.
        allowed: Says of an item's attributes what would leave in an event; a page may show them to whoever may not see
            what the item was.
    """

    def __init__(self, redactor: Redactor, allowed: Filter) -> None:
        self._redactor, self._allowed = redactor, allowed

    def of(self, record: SpanRecord | LogRecord) -> Operational:
        """Return what it gets of `record`."""
        if isinstance(record, SpanRecord):
            return Operational("", tuple(self._span(record)), self._leaving(record.attributes))
        if is_only_product_log(record.event_name or None, record.attributes, record.body):
            return Operational("it is nothing but a product event", ())
        return Operational("", tuple(self._log(record)), self._leaving(record.attributes))

    def of_metric(self, point: MetricPoint) -> Operational:
        """Return what it gets of `point`, but for its number."""
        return Operational("", tuple(self._metric(point)), self._leaving(point.attributes))

    def _leaving(self, attributes: Attributes) -> Mapping[str, object]:
        clean = self._redactor.attributes(attributes)
        return self._allowed.telemetry({key: value for key, value in clean.items() if value is not None}, Receipt())

    def _span(self, record: SpanRecord) -> Iterator[Kept]:
        yield self._text("name", record.name)
        if record.status_message:
            yield self._text("status.message", record.status_message)
        yield from self._attributes("", record.attributes)
        for event in record.events:
            if not is_only_product_event(event.name, event.attributes):
                yield self._text("event", event.name)
                yield from self._attributes("event.", event.attributes)
            else:
                yield Kept("event", event.name, None)
        yield from self._attributes("resource.", record.resource)

    def _log(self, record: LogRecord) -> Iterator[Kept]:
        if record.event_name:
            yield self._text("event_name", record.event_name)
        if isinstance(record.body, str):
            yield self._text("body", record.body)
        elif record.body is not None:
            left = self._redactor.value("body", record.body)
            yield Kept("body", record.body, None if left is GONE else left)
        yield from self._attributes("", record.attributes)
        yield from self._attributes("resource.", record.resource)

    def _metric(self, point: MetricPoint) -> Iterator[Kept]:
        yield self._text("name", point.name)
        if point.description:
            yield self._text("description", point.description)
        yield from self._attributes("", point.attributes)
        yield from self._attributes("resource.", point.resource)

    def _text(self, key: str, text: str) -> Kept:
        return Kept(key, text, self._redactor.text(text))

    def _attributes(self, prefix: str, attributes: Attributes) -> Iterator[Kept]:
        clean: Mapping[str, object] = self._redactor.attributes(attributes)
        for key, value in attributes.items():
            yield Kept(prefix + self._redactor.text(key), value, clean.get(key))
