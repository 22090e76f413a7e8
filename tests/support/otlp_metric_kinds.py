"""A metric of each kind that OTLP has and of each temporality, and metrics that Prometheus refuses."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
UNSPECIFIED = AggregationTemporality.AGGREGATION_TEMPORALITY_UNSPECIFIED
STEP_NS = 1_000_000_000


def counter(metric: Metric, temporality: AggregationTemporality.ValueType, time_ns: int, value: int) -> None:
    """Make `metric` a sum that only rises."""
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = temporality, True
    metric.sum.data_points.add(start_time_unix_nano=time_ns - STEP_NS, time_unix_nano=time_ns, as_int=value)


def up_and_down(metric: Metric, temporality: AggregationTemporality.ValueType, time_ns: int, value: int) -> None:
    """Make `metric` a sum that may fall."""
    counter(metric, temporality, time_ns, value)
    metric.sum.is_monotonic = False


def histogram(metric: Metric, temporality: AggregationTemporality.ValueType, time_ns: int, value: int) -> None:
    """Make `metric` a histogram of `value` measurements of 1."""
    metric.histogram.aggregation_temporality = temporality
    metric.histogram.data_points.add(
        start_time_unix_nano=time_ns - STEP_NS,
        time_unix_nano=time_ns,
        count=value,
        sum=value,
        explicit_bounds=[0.5, 2],
        bucket_counts=[0, value, 0],
    )


def exponential(metric: Metric, temporality: AggregationTemporality.ValueType, time_ns: int, value: int) -> None:
    """Make `metric` an exponential histogram of `value` measurements of about 1."""
    metric.exponential_histogram.aggregation_temporality = temporality
    point = metric.exponential_histogram.data_points.add(
        start_time_unix_nano=time_ns - STEP_NS, time_unix_nano=time_ns, count=value, sum=value, scale=0
    )
    point.positive.bucket_counts.append(value)


KINDS: dict[str, Callable[[Metric, AggregationTemporality.ValueType, int, int], None]] = {
    "counter": counter,
    "up_and_down": up_and_down,
    "histogram": histogram,
    "exponential": exponential,
}
TEMPORALITIES = {"delta": DELTA, "cumulative": CUMULATIVE, "unspecified": UNSPECIFIED}


def no_data(metric: Metric, time_ns: int, value: int) -> None:
    """Leave `metric` without a kind."""


def no_time(metric: Metric, time_ns: int, value: int) -> None:
    """Make `metric` a gauge whose point has no time."""
    metric.gauge.data_points.add(as_int=value)


def to_come(metric: Metric, time_ns: int, value: int) -> None:
    """Make `metric` a gauge of tomorrow."""
    metric.gauge.data_points.add(time_unix_nano=time_ns + 86_400 * STEP_NS, as_int=value)


def wide_scale(metric: Metric, time_ns: int, value: int) -> None:
    """Make `metric` an exponential histogram of buckets that Prometheus does not have."""
    exponential(metric, CUMULATIVE, time_ns, value)
    metric.exponential_histogram.data_points[0].scale = -5


def nameless(metric: Metric, time_ns: int, value: int) -> None:
    """Make `metric` a gauge without a name."""
    metric.gauge.data_points.add(time_unix_nano=time_ns, as_int=value)
    metric.name = ""


ODD = {each.__name__: each for each in (no_data, no_time, to_come, wide_scale, nameless)}
"""Each has Prometheus refuse the whole request."""


def request(time_ns: int, value: int, *names: str) -> bytes:
    """Return a request of the metrics `KIND_TEMPORALITY` (all, where none is named), and of a gauge beside them.

    Args:
        time_ns: Of each point.
        value: What each says.
        names: Which metrics.
    """
    body = ExportMetricsServiceRequest()
    resource = body.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    metrics = resource.scope_metrics.add().metrics
    for kind, make in KINDS.items():
        for word, temporality in TEMPORALITIES.items():
            if not names or f"{kind}_{word}" in names:
                make(metrics.add(name=f"{kind}_{word}"), temporality, time_ns, value)
    for name, spoil in ODD.items():
        if not names or name in names:
            spoil(metrics.add(name=name), time_ns, value)
    metrics.add(name="neighbour").gauge.data_points.add(time_unix_nano=time_ns, as_int=value)
    return body.SerializeToString()
