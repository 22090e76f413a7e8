"""Series of OTLP messages that became one by the filter: never a wrong number, also with several times in a request."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE as CUMULATIVE
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA as DELTA
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from stand_in import redactor

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational.otlp import OtlpFilter

FILTER = OtlpFilter(redactor(), Guard(Health()))
Told = list[tuple[str, int, float]]


def filtered(metric: Metric) -> Metric:
    """Return what goes on of `metric`."""
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.append(metric)
    list(FILTER.clean(request))
    return request.resource_metrics[0].scope_metrics[0].metrics[0]


def points_of(kind: str, told: Told, temporality: int = CUMULATIVE) -> Any:
    """Return a metric of `kind` in which each user told a number at a time."""
    metric = Metric(name="m")
    data = getattr(metric, kind)
    data.SetInParent()
    if hasattr(data, "aggregation_temporality"):
        data.aggregation_temporality = temporality
    for user, time, number in told:
        point = data.data_points.add(time_unix_nano=time, start_time_unix_nano=1)
        point.attributes.add(key="user.id").value.string_value = user
        if hasattr(point, "as_int"):
            point.as_int = int(number)
        else:
            point.count, point.sum = int(number), number
    return metric


def numbers(metric: Metric) -> list[tuple[int, float]]:
    """Return time and number of each point."""
    points = getattr(metric, metric.WhichOneof("data") or "").data_points
    return [(point.time_unix_nano, point.as_int if hasattr(point, "as_int") else point.sum) for point in points]


KINDS = ("sum", "histogram", "exponential_histogram", "summary")


@pytest.mark.parametrize("kind", KINDS)
def test_users_at_one_time_are_one_point(kind: str) -> None:
    """3, 5 and 7 are 15."""
    told: Told = [("ada", 10, 3), ("bob", 10, 5), ("eve", 10, 7)]
    assert numbers(filtered(points_of(kind, told))) == [(10, 15)]


@pytest.mark.parametrize("kind", KINDS)
def test_two_collections_in_one_request_are_two_points(kind: str) -> None:
    """A Collector puts requests together: a running total of two times is not added to itself."""
    told: Told = [("ada", 10, 3), ("bob", 10, 5), ("ada", 20, 4), ("bob", 20, 6)]
    assert numbers(filtered(points_of(kind, told))) == [(10, 8), (20, 10)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_running_total_holds_until_the_next(kind: str) -> None:
    """Told at other times, the last one before counts: the sum never goes down."""
    told: Told = [("ada", 10, 3), ("bob", 15, 5), ("ada", 20, 4)]
    assert numbers(filtered(points_of(kind, told))) == [(10, 3), (15, 8), (20, 9)]


@pytest.mark.parametrize("kind", ["sum", "histogram", "exponential_histogram"])
def test_changes_of_other_times_stay_apart(kind: str) -> None:
    """Deltas are added up where they are of one time, and all of them arrive."""
    told: Told = [("ada", 10, 3), ("bob", 15, 5), ("ada", 20, 4), ("bob", 20, 6)]
    assert numbers(filtered(points_of(kind, told, DELTA))) == [(10, 3), (15, 5), (20, 10)]


def test_the_latest_of_a_gauge_stays_for_each_time() -> None:
    """Nothing is added up."""
    told: Told = [("ada", 10, 3), ("bob", 10, 5), ("ada", 20, 4)]
    assert numbers(filtered(points_of("gauge", told))) == [(10, 5), (20, 4)]


def test_what_was_one_series_stays_as_it_came() -> None:
    """The same point twice is the sender's matter."""
    told: Told = [("ada", 10, 3), ("ada", 10, 3), ("ada", 5, 1)]
    assert numbers(filtered(points_of("sum", told))) == [(10, 3), (10, 3), (5, 1)]


def test_a_point_without_a_value_adds_nothing() -> None:
    """A series that has ended says so with a flag; beside others it is not a zero, and alone it stays."""
    metric = points_of("sum", [("ada", 10, 3), ("bob", 10, 9)])
    metric.sum.data_points[1].flags = 1
    (point,) = filtered(metric).sum.data_points
    assert (point.as_int, point.flags) == (3, 0)
    for at in range(2):
        metric.sum.data_points[at].flags = 1
    (point,) = filtered(metric).sum.data_points
    assert point.flags == 1


def test_what_one_does_not_tell_is_not_known_of_both() -> None:
    """Smallest and largest are optional; and a histogram without buckets leaves none to the sum of both."""
    metric = points_of("histogram", [("ada", 10, 3), ("bob", 10, 5)])
    one, other = metric.histogram.data_points
    one.min, one.max, other.max = 1, 2, 3
    one.explicit_bounds[:], one.bucket_counts[:] = [1.0], [1, 2]
    (point,) = filtered(metric).histogram.data_points
    assert (point.count, point.sum, point.max) == (8, 8, 3)
    assert not point.HasField("min")
    assert (list(point.explicit_bounds), list(point.bucket_counts)) == ([], [])


def test_a_zero_threshold_holds_for_both() -> None:
    """The larger one; what the other had in buckets below is counted there, and none is lost."""
    metric = points_of("exponential_histogram", [("ada", 10, 3), ("bob", 10, 3)])
    one, other = metric.exponential_histogram.data_points
    one.zero_threshold, one.zero_count = 2.5, 3
    # At scale 0 the bucket of index n holds what is above 2**n, up to 2**(n+1).
    other.positive.offset, other.positive.bucket_counts[:] = 0, [1, 1, 1]
    (point,) = filtered(metric).exponential_histogram.data_points
    assert (point.zero_count, point.zero_threshold) == (5, 4)
    found = {point.positive.offset + at: count for at, count in enumerate(point.positive.bucket_counts) if count}
    assert found == {2: 1}
    assert point.count == 6


def test_whole_and_broken_numbers_add_up_to_a_broken_one() -> None:
    """And what is more than 64 bits hold is no wrong whole one."""
    metric = points_of("sum", [("ada", 10, 3), ("bob", 10, 5)])
    metric.sum.data_points[1].as_double = 0.5
    (point,) = filtered(metric).sum.data_points
    assert point.as_double == 3.5
    metric = points_of("sum", [("ada", 10, 2**63 - 1), ("bob", 10, 5)])
    (point,) = filtered(metric).sum.data_points
    assert point.as_double == 2.0**63


def test_metrics_of_equal_units_are_one() -> None:
    """A name or a unit that told of somebody is gone: both metrics are one then, with one point."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for unit, told in (("SECRET", 3), ("[x]", 5)):
        metric = scope.metrics.add(name="m", unit=unit)
        metric.sum.aggregation_temporality = CUMULATIVE
        metric.sum.data_points.add(as_int=told, time_unix_nano=10)
    list(FILTER.clean(request))
    (left,) = scope.metrics
    assert numbers(left) == [(10, 8)]
