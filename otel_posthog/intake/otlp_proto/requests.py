"""A parsed export request in, its spans or log records out, one after the other.

Most of what comes along is operational: that is told by names and keys alone, before a value is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.records import OPERATIONAL, LogRecord, OnMalformed, Record, SpanEvent, SpanRecord
from otel_posthog.intake.otlp_proto.values import attributes_of, value_of
from otel_posthog.model import Attributes
from otel_posthog.route import EVENT, EXCEPTION, EXCEPTION_TYPE, PREFIX

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two signals that are read.

    Attributes:
        message: The export request's type.
        resources: Its only field.
        scopes: The field of that, with the items by scope.
        items: The field of that, with the items.
        json_resources: The first of the three in JSON.
        json_scopes: The second.
        json_items: The third.
    """

    message: type[Message]
    resources: str
    scopes: str
    items: str
    json_resources: str
    json_scopes: str
    json_items: str


TRACES = Kind(
    ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans", "resourceSpans", "scopeSpans", "spans"
)
LOGS = Kind(
    ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records", "resourceLogs", "scopeLogs", "logRecords"
)


def read(request: bytes | Message, kind: Kind, on_malformed: OnMalformed | None = None) -> Iterator[Record]:
    """Yield the spans or log records of an export request; `OPERATIONAL` in place of those without product data.

    Args:
        request: An `ExportTraceServiceRequest` or `ExportLogsServiceRequest`, encoded or parsed.
        kind: Which of them.
        on_malformed: Told of a span or record that cannot be read, which is left out.

    Raises:
        MalformedTelemetry: It is no such message; without `on_malformed` also where an item cannot be read.
    """
    message: Any = parsed(request, kind) if isinstance(request, bytes) else request
    for holder in getattr(message, kind.resources):
        resource = _Resource(holder.resource, f"{kind.resources}.resource")
        for scope in getattr(holder, kind.scopes):
            for at, item in enumerate(getattr(scope, kind.items)):
                if _may_be_product(item, kind):
                    record = _read_one(item, resource, kind, f"{kind.items}[{at}]", on_malformed)
                    if record is not None:
                        yield record
                else:
                    yield OPERATIONAL


class _Resource:
    """The attributes of a resource, read once, and only where an item needs them."""

    def __init__(self, resource: Any, path: str) -> None:
        self._resource, self._path = resource, path
        self._attributes: Attributes | None = None

    @property
    def attributes(self) -> Attributes:
        if self._attributes is None:
            self._attributes = attributes_of(self._resource.attributes, f"{self._path}.attributes")
        return self._attributes


def _read_one(item: Any, resource: _Resource, kind: Kind, path: str, on_malformed: OnMalformed | None) -> Record | None:
    try:
        read_one = _span if kind is TRACES else _log
        return read_one(item, resource.attributes, path)
    except MalformedTelemetry as error:
        if on_malformed is None:
            raise
        on_malformed(error)
        return None


def parsed(body: bytes, kind: Kind) -> Message:
    """Return the export request that `body` is.

    Raises:
        MalformedTelemetry: It is none.
    """
    try:
        return kind.message.FromString(body)
    except DecodeError:
        # Its own message may hold bytes of the request.
        raise MalformedTelemetry("", f"must be an {kind.message.DESCRIPTOR.name} in protobuf") from None


def _may_be_product(item: Any, kind: Kind) -> bool:
    """Return whether `item` may be a product item, or hold one, or tell of an exception: by names and keys alone."""
    if kind is LOGS and item.event_name.startswith(PREFIX):
        return True
    keys = [pair.key for pair in item.attributes]
    if EVENT in keys:
        return True
    return any(map(_may_be_product_event, item.events)) if kind is TRACES else EXCEPTION_TYPE in keys


def _may_be_product_event(event: Any) -> bool:
    name = event.name
    return name == EXCEPTION or name.startswith(PREFIX) or any(pair.key == EVENT for pair in event.attributes)


def _span(span: Any, resource: Attributes, path: str) -> SpanRecord:
    return SpanRecord(
        name=span.name,
        attributes=attributes_of(span.attributes, f"{path}.attributes"),
        trace_id=_required(span.trace_id, _TRACE_ID_BYTES, f"{path}.trace_id"),
        span_id=_required(span.span_id, _SPAN_ID_BYTES, f"{path}.span_id"),
        end_ns=span.end_time_unix_nano,
        events=tuple(_events(span.events, path)),
        status_message=span.status.message,
        resource=resource,
        dropped_attributes=span.dropped_attributes_count,
    )


def _events(events: Iterable[Any], path: str) -> Iterator[SpanEvent]:
    for at, event in enumerate(events):
        attributes = attributes_of(event.attributes, f"{path}.events[{at}].attributes")
        yield SpanEvent(event.name, attributes, event.time_unix_nano)


def _log(record: Any, resource: Attributes, path: str) -> LogRecord:
    return LogRecord(
        event_name=record.event_name,
        attributes=attributes_of(record.attributes, f"{path}.attributes"),
        body=value_of(record.body, f"{path}.body"),
        time_ns=record.time_unix_nano,
        observed_ns=record.observed_time_unix_nano,
        trace_id=_identifier(record.trace_id, _TRACE_ID_BYTES, f"{path}.trace_id"),
        span_id=_identifier(record.span_id, _SPAN_ID_BYTES, f"{path}.span_id"),
        resource=resource,
        dropped_attributes=record.dropped_attributes_count,
    )


def _identifier(raw: bytes, size_bytes: int, path: str) -> int:
    if raw and len(raw) != size_bytes:
        raise MalformedTelemetry(path, f"must be {size_bytes} bytes")
    return int.from_bytes(raw, "big")


def _required(raw: bytes, size_bytes: int, path: str) -> int:
    value = _identifier(raw, size_bytes, path)
    if not value:
        # Trace data model: an id of zeros is invalid, and there is no span without ids.
        raise MalformedTelemetry(path, "must be there, and not all zeros")
    return value
