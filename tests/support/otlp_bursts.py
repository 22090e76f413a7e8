"""Requests of many small items of each operational signal, each item with a number of its own."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

TIME_NS = 1_790_000_000_000_000_000


def traces(first: int, count: int) -> bytes:
    """Return a request of `count` failed traces of one span, each kept by the sampling policy `errors`."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(first, first + count):
        scope.spans.add(
            trace_id=(number + 1).to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            name="work",
            start_time_unix_nano=TIME_NS,
            end_time_unix_nano=TIME_NS + 1000,
            status=Status(code=Status.STATUS_CODE_ERROR),
        )
    return request.SerializeToString()


def logs(first: int, count: int) -> bytes:
    """Return a request of `count` log records."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number in range(first, first + count):
        record = scope.log_records.add(time_unix_nano=TIME_NS + number, severity_number=9)
        record.body.string_value = "said"
    return request.SerializeToString()


def metrics(first: int, count: int) -> bytes:
    """Return a request of a gauge with `count` points."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="depth")
    for number in range(first, first + count):
        metric.gauge.data_points.add(time_unix_nano=TIME_NS + number, as_int=1)
    return request.SerializeToString()
