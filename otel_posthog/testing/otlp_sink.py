"""An OTLP/HTTP receiver to test against, which decodes what it receives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any

from otel_posthog.testing.server import Answer, LocalServer

if TYPE_CHECKING:
    from types import ModuleType


@dataclass(frozen=True, slots=True)
class SinkSpan:
    """A span as it arrived; ids in hex, `parent_span_id` empty for a root; of links the attributes and the traces."""

    name: str
    trace_id: str
    span_id: str
    parent_span_id: str
    kind: int
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[dict[str, Any]]
    status_code: int
    status_message: str
    scope_name: str
    resource: dict[str, Any]
    linked_trace_ids: list[str]


@dataclass(frozen=True, slots=True)
class SinkLog:
    """A log record as it arrived."""

    body: Any
    attributes: dict[str, Any]
    event_name: str
    severity_text: str
    trace_id: str
    span_id: str
    scope_name: str
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SinkMetric:
    """A metric as it arrived; a point is its attributes and its value (a histogram's sum)."""

    name: str
    unit: str
    points: list[tuple[dict[str, Any], float]]
    scope_name: str
    resource: dict[str, Any]


class OtlpSink(LocalServer):
    """Takes OTLP over HTTP as protobuf; `url` is an `OTEL_EXPORTER_OTLP_ENDPOINT`.

    Args:
        port: 0 takes a free one.

    Raises:
        ImportError: `opentelemetry-proto` is missing; the message names the extra.
    """

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        for signal in ("trace", "logs", "metrics"):
            _collector(signal)  # here, where the test's author sees it fail
        self.status = 200
        self.spans: list[SinkSpan] = []
        self.logs: list[SinkLog] = []
        self.metrics: list[SinkMetric] = []
        self._decode: dict[str, Callable[[bytes], None]] = {
            "/v1/traces": self._take_traces,
            "/v1/logs": self._take_logs,
            "/v1/metrics": self._take_metrics,
        }

    @property
    def items(self) -> int:
        """How many spans, log records and metrics arrived."""
        return len(self.spans) + len(self.logs) + len(self.metrics)

    def wait_for(self, is_true: Callable[[OtlpSink], bool], timeout_s: float = 30.0) -> None:
        """Wait until `is_true(self)`.

        Raises:
            AssertionError: It was not, within `timeout_s`.
        """
        if not self.wait_until(lambda: is_true(self), timeout_s):
            counts = f"{len(self.spans)} spans, {len(self.logs)} logs, {len(self.metrics)} metrics"
            raise AssertionError(f"what was waited for did not come within {timeout_s} s; there are {counts}")

    def wait_for_spans(self, count: int, timeout_s: float = 30.0) -> list[SinkSpan]:
        """Return the spans once there are `count`."""
        self.wait_for(lambda sink: len(sink.spans) >= count, timeout_s)
        return self.spans

    def wait_for_logs(self, count: int, timeout_s: float = 30.0) -> list[SinkLog]:
        """Return the log records once there are `count`."""
        self.wait_for(lambda sink: len(sink.logs) >= count, timeout_s)
        return self.logs

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:  # noqa: ARG002 - the base's signature
        """Decode one request."""
        decode = self._decode.get(path)
        if decode is None:
            return Answer(404)
        if self.status != 200:
            return Answer(self.status)
        decode(body)
        return Answer(200, b"", "application/x-protobuf")

    def _take_traces(self, body: bytes) -> None:
        request = _collector("trace").ExportTraceServiceRequest.FromString(body)
        self.spans.extend(starmap(_span, _items(request.resource_spans, "scope_spans", "spans")))

    def _take_logs(self, body: bytes) -> None:
        request = _collector("logs").ExportLogsServiceRequest.FromString(body)
        self.logs.extend(starmap(_log, _items(request.resource_logs, "scope_logs", "log_records")))

    def _take_metrics(self, body: bytes) -> None:
        request = _collector("metrics").ExportMetricsServiceRequest.FromString(body)
        self.metrics.extend(starmap(_metric, _items(request.resource_metrics, "scope_metrics", "metrics")))


def _items(groups: Iterable[Any], scopes: str, items: str) -> Iterator[tuple[Any, str, dict[str, Any]]]:
    """Yield each item with the name of its scope and its resource: OTLP nests all three signals alike."""
    for group in groups:
        resource = attributes(group.resource.attributes)
        for scope in getattr(group, scopes):
            for each in getattr(scope, items):
                yield each, scope.scope.name, resource


def attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    """Return OTLP key-value pairs as a dict."""
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None


def _span(span: Any, scope_name: str, resource: dict[str, Any]) -> SinkSpan:
    return SinkSpan(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        kind=span.kind,
        attributes=attributes(span.attributes),
        events=[(each.name, attributes(each.attributes)) for each in span.events],
        links=[attributes(each.attributes) for each in span.links],
        status_code=span.status.code,
        status_message=span.status.message,
        scope_name=scope_name,
        resource=resource,
        linked_trace_ids=[each.trace_id.hex() for each in span.links],
    )


def _log(record: Any, scope_name: str, resource: dict[str, Any]) -> SinkLog:
    return SinkLog(
        body=_value(record.body),
        attributes=attributes(record.attributes),
        event_name=record.event_name,
        severity_text=record.severity_text,
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        scope_name=scope_name,
        resource=resource,
    )


def _metric(metric: Any, scope_name: str, resource: dict[str, Any]) -> SinkMetric:
    data = getattr(metric, metric.WhichOneof("data"))
    points = [(attributes(point.attributes), _number(point)) for point in data.data_points]
    return SinkMetric(metric.name, metric.unit, points, scope_name, resource)


def _number(point: Any) -> float:
    if hasattr(point, "as_int"):
        return float(getattr(point, point.WhichOneof("value")))
    return float(point.sum)


def _collector(signal: str) -> ModuleType:
    """Return the generated module of one OTLP service.

    Raises:
        ImportError: The testing extra is not installed.
    """
    from importlib import import_module  # noqa: PLC0415

    try:
        return import_module(f"opentelemetry.proto.collector.{signal}.v1.{signal}_service_pb2")
    except ModuleNotFoundError as error:
        raise ImportError('OtlpSink needs its extra: pip install "otel-posthog[testing]"') from error
