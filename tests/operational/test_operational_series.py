"""Series that became one by redaction arrive as the one that the app would have made without what was taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import Counter as CounterKind
from opentelemetry.sdk.metrics import Histogram as HistogramKind
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Buckets,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Histogram,
    HistogramDataPoint,
    InMemoryMetricReader,
    MetricsData,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from stand_in import redactor

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational.metrics import MetricRedactor
from otel_posthog.operational.series import MAX_BUCKETS, merged_points

USER = "user.email"
Recorded = list[tuple[str, float]]
_users = st.sampled_from(["ada", "bob", "eve"])
_numbers = st.one_of(
    st.just(0.0), st.integers(1, 50).map(float), st.floats(1e-12, 1e12, allow_nan=False, allow_infinity=False)
)
_recorded = st.lists(st.tuples(_users, _numbers), min_size=1, max_size=40)
_TEMPORALITIES = [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA]


def collected(recorded: Recorded, *, users: bool, temporality: AggregationTemporality) -> MetricsData:
    """Return what an app's SDK has of `recorded`, by user or not, in instruments of every kind."""
    reader = InMemoryMetricReader({CounterKind: temporality, HistogramKind: temporality})
    views = [View(instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation())]
    provider = MeterProvider([reader], views=views, shutdown_on_exit=False)
    meter = provider.get_meter("m")

    def attributes(user: str) -> dict[str, str]:
        return {"kind": "a", **({USER: user} if users else {})}

    def observed(_: CallbackOptions) -> Iterable[Observation]:
        if users:
            sums = Counter[str]()
            for user, value in recorded:
                sums[user] += int(value)
            return [Observation(value, attributes(user)) for user, value in sums.items()]
        return [Observation(sum(int(value) for _, value in recorded), attributes(""))]

    meter.create_observable_counter("observed", [observed])
    meter.create_observable_up_down_counter("observed_up_down", [observed])
    counter, up_down = meter.create_counter("counter"), meter.create_up_down_counter("up_down")
    explicit, exponential = meter.create_histogram("explicit"), meter.create_histogram("exponential")
    gauge = meter.create_gauge("gauge")
    for user, value in recorded:
        counter.add(value, attributes(user))
        up_down.add(-value, attributes(user))
        explicit.record(value, attributes(user))
        exponential.record(value, attributes(user))
        gauge.set(value, attributes(user))
    found = reader.get_metrics_data()
    assert found is not None
    provider.shutdown()
    return found


def redacted(data: MetricsData) -> MetricsData:
    """Return what goes on of it."""
    clean = MetricRedactor(redactor(), Guard(Health())).redact(data)
    assert clean is not None
    return clean


def points(data: MetricsData) -> dict[str, list[Any]]:
    """Return the data points by metric."""
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
    return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


def at_scale(point: Any, scale: int) -> Counter[int]:
    """Return the counts of an exponential histogram's positive side by index, at a lower scale."""
    found: Counter[int] = Counter()
    for at, count in enumerate(point.positive.bucket_counts):
        if count:
            found[point.positive.offset + at >> (point.scale - scale)] += count
    return found


@pytest.mark.parametrize("temporality", _TEMPORALITIES)
@given(recorded=_recorded)
def test_points_that_became_equal_are_the_one_point_of_an_app_that_tells_no_users(
    temporality: AggregationTemporality, recorded: Recorded
) -> None:
    """Sums up and down, observed ones, histograms of both kinds; a gauge has the value of one of them."""
    found = points(redacted(collected(recorded, users=True, temporality=temporality)))
    truth = points(collected(recorded, users=False, temporality=temporality))
    assert found.keys() == truth.keys()
    for name, (true,) in truth.items():
        (point,) = found[name]
        assert dict(point.attributes) == {"kind": "a"}, name
        if name == "gauge":
            assert point.value in {value for _, value in recorded}
        elif name in {"explicit", "exponential"}:
            assert (point.count, point.min, point.max) == (true.count, true.min, true.max)
            assert point.sum == pytest.approx(true.sum)
        else:
            assert point.value == pytest.approx(true.value)
    (explicit,), (true,) = found["explicit"], truth["explicit"]
    assert (list(explicit.bucket_counts), explicit.explicit_bounds) == (list(true.bucket_counts), true.explicit_bounds)
    (exponential,), (true,) = found["exponential"], truth["exponential"]
    scale = min(exponential.scale, true.scale)
    assert at_scale(exponential, scale) == at_scale(true, scale)
    assert exponential.zero_count == true.zero_count
    assert len(exponential.positive.bucket_counts) <= MAX_BUCKETS


def test_negative_sides_of_exponential_histograms_add_up() -> None:
    """The SDK records none; what another source brings is merged as well, within the same number of buckets."""
    none = Buckets(0, [0])
    of_all: list[Any] = [
        ExponentialHistogramDataPoint({}, 1, 2, 3, -9, scale, 1, none, Buckets(offset, [1, 1]), 0, -5, 0)
        for scale, offset in ((3, -7), (5, 4 * MAX_BUCKETS))
    ]
    (point,) = merged_points(ExponentialHistogram(of_all, AggregationTemporality.DELTA), of_all)
    assert (point.count, point.zero_count, sum(point.negative.bucket_counts)) == (6, 2, 4)
    # Both in the index that the definition of a scale gives them: 2**(scale) buckets for each power of two.
    levels = 3 - point.scale
    indexes = {-7 >> levels, -6 >> levels, (640 >> 2) >> levels, (641 >> 2) >> levels}
    found = {point.negative.offset + at for at, count in enumerate(point.negative.bucket_counts) if count}
    assert found == indexes
    assert len(point.negative.bucket_counts) <= MAX_BUCKETS
    assert point.positive == none


def test_histograms_of_other_bounds_keep_every_value_in_the_bounds_that_both_have() -> None:
    """Views of two meters may differ: what arrives is coarser, and nothing is lost."""
    values = (0.5, 1.5, 3, 4.5, 9)
    of_all: list[Any] = [
        HistogramDataPoint({}, 1, 2, len(values), sum(values), _counts(bounds, values), bounds, 0.5, 9)
        for bounds in ([1.0, 2, 5], [0.0, 2, 4, 5])
    ]
    (point,) = merged_points(Histogram(of_all, AggregationTemporality.DELTA), of_all)
    assert (point.explicit_bounds, point.bucket_counts) == ((2, 5), [4, 4, 2])
    assert (point.count, point.sum) == (10, 37)


def _counts(bounds: list[float], values: Iterable[float]) -> list[int]:
    edges = [float("-inf"), *bounds, float("inf")]
    return [sum(low < value <= high for value in values) for low, high in pairwise(edges)]


def test_metrics_whose_names_became_equal_are_one() -> None:
    """Whatever is taken out of a name, each series has one point; kinds stay apart."""
    data = collected([("ada", 1.0)], users=False, temporality=AggregationTemporality.CUMULATIVE)
    scope = data.resource_metrics[0].scope_metrics[0]
    (counter,), (gauge,) = ([each for each in scope.metrics if each.name == name] for name in ("counter", "gauge"))
    metrics = [replace(counter, name="of_SECRET"), replace(counter, name="of_[x]"), replace(gauge, name="of_[x]")]
    given = MetricsData([replace(data.resource_metrics[0], scope_metrics=[replace(scope, metrics=metrics)])])
    found: list[Any] = [*redacted(given).resource_metrics[0].scope_metrics[0].metrics]
    assert [(each.name, [point.value for point in each.data.data_points]) for each in found] == [
        ("of_[x]", [2]),
        ("of_[x]", [1]),
    ]


def test_scopes_that_became_equal_are_one_with_one_point_of_each_series() -> None:
    """Two meters that differed only in whom they were for; metrics of another unit or kind stay apart."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    for number, who in enumerate(("ada", "bob"), 1):
        meter = provider.get_meter("m", attributes={USER: who})
        meter.create_counter("c").add(number)
        meter.create_histogram("h").record(number)
        meter.create_counter("u", unit="s" if number == 1 else "ms").add(number)
    provider.get_meter("other").create_counter("c").add(10)
    data = reader.get_metrics_data()
    assert data is not None
    provider.shutdown()
    scopes = redacted(data).resource_metrics[0].scope_metrics
    assert [scope.scope.name for scope in scopes] == ["m", "other"]
    found: list[Any] = [metric for scope in scopes for metric in scope.metrics]
    values = [
        (each.name, [getattr(point, "value", None) or point.count for point in each.data.data_points]) for each in found
    ]
    assert values == [("c", [3]), ("h", [2]), ("u", [1]), ("u", [2]), ("c", [10])]
