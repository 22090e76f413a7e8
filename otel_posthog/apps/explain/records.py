"""JSON documents of telemetry in, records out, where `intake` has no reader of its own.

What OpenTelemetry's console exporters print is read in the format of the Python SDK (`ReadableSpan.to_json`,
`ReadableLogRecord.to_json`, `MetricsData.to_json`): an object for each span and log record and one for each collection
of metrics, on several lines or on one. Metrics are read for what the operational side gets of their texts: none of
their points is a product event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.inspection.explanation import MetricPoint
from otel_posthog.intake.otlp import LogRecord, Record, SpanEvent, SpanRecord
from otel_posthog.intake.otlp.json_document import UINT64, Fields, as_fields, attributes_of, is_sampled
from otel_posthog.intake.otlp.records import SPAN_KINDS, STATUS_CODES
from otel_posthog.model import Attributes
from otel_posthog.values import unix_ns

_ID = re.compile(r"(?:0x)?([0-9a-f]{1,32})", re.IGNORECASE)
_SPAN = frozenset({"context", "start_time", "end_time", "parent_id"})
_LOG = frozenset({"body", "severity_number", "trace_id", "span_id"})
_METRICS = frozenset({"resource_metrics"})
_DATA = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


def is_console(content: object) -> bool:
    """Return whether `content` is what a console exporter prints."""
    return isinstance(content, Mapping) and any(kind <= content.keys() for kind in (_SPAN, _LOG, _METRICS))


def read_console(content: object) -> Iterator[Record | MetricPoint]:
    """Yield the span, the log record or the points of metrics that a console exporter has printed.

    Raises:
        MalformedTelemetry: A field is not what the format says.
    """
    fields = as_fields(content, "")
    if fields.content.keys() >= _SPAN:
        yield _span(fields)
    elif fields.content.keys() >= _LOG:
        yield _log(fields)
    else:
        yield from _printed_points(fields)


def read_otlp_metrics(document: object) -> Iterator[MetricPoint]:
    """Yield the points of an OTLP document's metrics.

    Raises:
        MalformedTelemetry: A field is not what the format says.
    """
    for holder in as_fields(document, "").objects("resourceMetrics"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeMetrics"):
            for metric in scope.objects("metrics"):
                yield from _otlp_points(metric, resource)


def _span(fields: Fields) -> SpanRecord:
    context = fields.object("context")
    return SpanRecord(
        name=fields.text("name"),
        attributes=_attributes(fields),
        trace_id=_id(context, "trace_id"),
        span_id=_id(context, "span_id"),
        end_ns=_time(fields, "end_time") or _time(fields, "start_time"),
        events=tuple(
            SpanEvent(each.text("name"), _attributes(each), _time(each, "timestamp"))
            for each in fields.objects("events")
        ),
        status_message=fields.object("status").text("description"),
        resource=_attributes(fields.object("resource")),
        start_ns=_time(fields, "start_time"),
        kind=_named(fields, "kind", SPAN_KINDS),
        status_code=_named(fields.object("status"), "status_code", STATUS_CODES),
    )


def _log(fields: Fields) -> LogRecord:
    return LogRecord(
        event_name=fields.text("event_name"),
        attributes=_attributes(fields),
        body=_value(fields.content.get("body")),
        time_ns=_time(fields, "timestamp"),
        observed_ns=_time(fields, "observed_timestamp"),
        trace_id=_id(fields, "trace_id"),
        span_id=_id(fields, "span_id"),
        resource=_attributes(fields.object("resource")),
        dropped_attributes=fields.whole("dropped_attributes", UINT64),
        is_sampled=is_sampled(fields, "trace_flags"),
    )


def _printed_points(fields: Fields) -> Iterator[MetricPoint]:
    for holder in fields.objects("resource_metrics"):
        resource = _attributes(holder.object("resource"))
        for scope in holder.objects("scope_metrics"):
            for metric in scope.objects("metrics"):
                name, description = metric.text("name"), metric.text("description")
                for point in metric.object("data").objects("data_points"):
                    yield MetricPoint(name, description, _attributes(point), resource)


def _otlp_points(metric: Fields, resource: Attributes) -> Iterator[MetricPoint]:
    for kind in _DATA:
        for point in metric.object(kind).objects("dataPoints"):
            attributes = attributes_of(point, "attributes")
            yield MetricPoint(metric.text("name"), metric.text("description"), attributes, resource)


def _attributes(fields: Fields) -> Attributes:
    return {key: _value(value) for key, value in fields.object("attributes").content.items()}


def _named(fields: Fields, name: str, names: Sequence[str]) -> str:
    """Return the name of an enumeration's value, written `SpanKind.SERVER` or `ERROR`; the first where it is none."""
    said = fields.content.get(name)
    found = said.rpartition(".")[2] if isinstance(said, str) else ""
    return found if found in names else names[0]


def _value(value: object) -> object:
    """Return `value` as the SDK holds it; bytes, which are printed as base64, stay text."""
    return tuple(map(_value, value)) if isinstance(value, list) else value


def _id(fields: Fields, name: str) -> int:
    found = _ID.fullmatch(fields.text(name) or "0")
    if found is None:
        raise MalformedTelemetry(fields.at(name), "must be an id in hexadecimal digits")
    return int(found[1], 16)


def _time(fields: Fields, name: str) -> int:
    text = fields.text(name)
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise MalformedTelemetry(fields.at(name), "must be a time, as 2026-01-02T03:04:05.000000Z") from None
    if moment.tzinfo is None:
        raise MalformedTelemetry(fields.at(name), "must be a time with an offset")
    return unix_ns(moment)
