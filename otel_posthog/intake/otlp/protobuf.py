"""OTLP as protobuf: an export request in, its spans or log records out, the same as of the same telemetry in JSON.

Most of what comes along is operational: that is told by names and keys alone, before a value is looked at. Source of
the format: https://opentelemetry.io/docs/specs/otlp/#binary-protobuf-encoding, and the messages of
`opentelemetry-proto`, which comes with the extra `gateway`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.records import (
    MAX_DEPTH,
    OPERATIONAL,
    SPAN_KINDS,
    STATUS_CODES,
    LogRecord,
    OnMalformed,
    Record,
    SpanEvent,
    SpanRecord,
    readable,
)
from otel_posthog.model import Attributes
from otel_posthog.recogniser import Recogniser

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8


@dataclass(frozen=True, slots=True)
class Kind:
    """A signal.

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
METRICS = Kind(
    ExportMetricsServiceRequest,
    "resource_metrics",
    "scope_metrics",
    "metrics",
    "resourceMetrics",
    "scopeMetrics",
    "metrics",
)
"""No product event is in them: they are filtered, and not read."""


def read_request(
    request: bytes | Message, kind: Kind, recogniser: Recogniser, on_malformed: OnMalformed | None = None
) -> Iterator[Record]:
    """Yield the spans or log records of an export request; `OPERATIONAL` in place of those without product data.

    Args:
        request: An `ExportTraceServiceRequest` or `ExportLogsServiceRequest`, encoded or parsed.
        kind: Which of them.
        recogniser: The rules in force.
        on_malformed: Told of a span or record that cannot be read, which is left out.

    Raises:
        MalformedTelemetry: It is no such message; without `on_malformed` also where an item cannot be read.
    """
    message: Any = parsed(request, kind) if isinstance(request, bytes) else request
    may_be_product, read_one = (_may_hold_product, _span) if kind is TRACES else (_may_be_log, _log)
    for holder in getattr(message, kind.resources):
        around = _Around(holder.resource, f"{kind.resources}.resource")
        for scope in getattr(holder, kind.scopes):
            around.scope_name = scope.scope.name
            for at, item in enumerate(getattr(scope, kind.items)):
                if not may_be_product(item, recogniser):
                    yield OPERATIONAL
                    continue
                record = readable(read_one, item, around, f"{kind.items}[{at}]", on_malformed)
                if record is not None:
                    yield record


class _Around:
    """What is around an item: the name of its scope, and its resource, which is read only where an item needs it."""

    def __init__(self, resource: Any, path: str) -> None:
        self._resource, self._path, self.scope_name = resource, path, ""
        self._attributes: Attributes | None = None

    @property
    def resource(self) -> Attributes:
        if self._attributes is None:
            self._attributes = attributes_of(self._resource.attributes, f"{self._path}.attributes")
        return self._attributes


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


def _may_hold_product(span: Any, recogniser: Recogniser) -> bool:
    """Return whether `span` or one of its events may be a product event: by names and keys, before a value is read."""
    if recogniser.may_be_span(span.name, [pair.key for pair in span.attributes]):
        return True
    events = span.events
    return bool(events) and any(recogniser.may_be_span_event(each.name, _keys(each.attributes)) for each in events)


def _may_be_log(record: Any, recogniser: Recogniser) -> bool:
    return recogniser.may_be_log(record.event_name, record.attributes, _keys)


def _keys(pairs: Iterable[Any]) -> list[str]:
    return [pair.key for pair in pairs]


def _span(span: Any, around: _Around, path: str) -> SpanRecord:
    return SpanRecord(
        name=span.name,
        attributes=attributes_of(span.attributes, f"{path}.attributes"),
        trace_id=_required(span.trace_id, _TRACE_ID_BYTES, path, "trace_id"),
        span_id=_required(span.span_id, _SPAN_ID_BYTES, path, "span_id"),
        end_ns=span.end_time_unix_nano,
        events=tuple(_events(span.events, path)),
        status_message=span.status.message,
        resource=around.resource,
        dropped_attributes=span.dropped_attributes_count,
        start_ns=span.start_time_unix_nano,
        kind=_named(SPAN_KINDS, span.kind),
        status_code=_named(STATUS_CODES, span.status.code),
        scope_name=around.scope_name,
    )


def _events(events: Iterable[Any], path: str) -> Iterator[SpanEvent]:
    for at, event in enumerate(events):
        attributes = attributes_of(event.attributes, f"{path}.events[{at}].attributes")
        yield SpanEvent(event.name, attributes, event.time_unix_nano)


def _log(record: Any, around: _Around, path: str) -> LogRecord:
    # By place: one is made for every event, and a call by keyword takes longer.
    return LogRecord(
        record.event_name,
        attributes_of(record.attributes, f"{path}.attributes"),
        value_of(record.body, f"{path}.body") if record.HasField("body") else None,
        record.time_unix_nano,
        record.observed_time_unix_nano,
        _identifier(record.trace_id, _TRACE_ID_BYTES, path, "trace_id"),
        _identifier(record.span_id, _SPAN_ID_BYTES, path, "span_id"),
        around.resource,
        record.dropped_attributes_count,
        around.scope_name,
        record.flags & 1 == 1,
    )


def _named(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else names[0]


def _identifier(raw: bytes, size_bytes: int, path: str, name: str) -> int:
    if raw and len(raw) != size_bytes:
        raise MalformedTelemetry(f"{path}.{name}", f"must be {size_bytes} bytes")
    return int.from_bytes(raw, "big")


def _required(raw: bytes, size_bytes: int, path: str, name: str) -> int:
    value = _identifier(raw, size_bytes, path, name)
    if not value:
        # Trace data model: an id of zeros is invalid, and there is no span without ids.
        raise MalformedTelemetry(f"{path}.{name}", "must be there, and not all zeros")
    return value


_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})


def attributes_of(pairs: Iterable[Any], path: str, depth: int = 0) -> dict[str, object]:
    """Return a list of `KeyValue`; a key that stands twice has its last value."""
    found: dict[str, object] = {}
    for pair in pairs:
        value = pair.value
        # Nine in ten attributes; of any other kind it is empty.
        text = value.string_value
        found[pair.key] = text or _of(value.WhichOneof("value"), value, path, depth)
    return found


def value_of(value: Any, path: str, depth: int = 0) -> object:
    """Return an `AnyValue`; None for one that is empty.

    Raises:
        MalformedTelemetry: It has too many levels.
    """
    return _of(value.WhichOneof("value"), value, path, depth)


def _of(kind: str | None, value: Any, path: str, depth: int) -> object:
    if kind in _SCALARS:
        return getattr(value, kind)
    nested = _NESTED.get(kind or "")
    if nested is None:
        return None
    if depth >= MAX_DEPTH:
        raise MalformedTelemetry(path, f"is nested more than {MAX_DEPTH} levels deep")
    return nested(value, path, depth + 1)


def _array(value: Any, path: str, depth: int) -> tuple[object, ...]:
    return tuple(value_of(each, path, depth) for each in value.array_value.values)


def _map(value: Any, path: str, depth: int) -> dict[str, object]:
    return attributes_of(value.kvlist_value.values, path, depth)


_NESTED: dict[str, Callable[[Any, str, int], object]] = {"array_value": _array, "kvlist_value": _map}
