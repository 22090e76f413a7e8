"""Series that became one when something was taken out of their attributes, merged.

Two that differed only in that (`customer=ada@...`, `customer=bob@...`) would arrive as one series with two values at
one time, which backends refuse or overwrite: sums and histograms are added up, of gauges the latest stays.

Source: https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponential-histogram, for scales and buckets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from opentelemetry.sdk.metrics.export import (
    Buckets,
    DataT,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ScopeMetrics,
    Sum,
)

from otel_posthog.sdk import item_attributes

MAX_BUCKETS = 160
"""Of an exponential histogram on each side of zero, as the SDK has it."""

_T = TypeVar("_T")


def merged_scopes(scopes: Iterable[ScopeMetrics]) -> list[ScopeMetrics]:
    """Return `scopes` with those that are equal joined, and in each the metrics and points that are."""
    return _joined(scopes, _scope_key, _join_scopes)


def merged_metrics(metrics: Iterable[Metric]) -> list[Metric]:
    """Return `metrics` with those of one name, unit and kind joined, and in each the points that are equal."""
    return _joined(metrics, _metric_key, _join_metrics)


def merged_points(data: DataT, points: Sequence[Any]) -> list[Any]:
    """Return `points` with those of equal attributes joined into one.

    Args:
        data: The metric's data, whose kind says how.
        points: Its data points, redacted.
    """
    join = next((join for kind, join in _JOINS.items() if isinstance(data, kind)), None)
    return list(points) if join is None else _joined(points, lambda point: _text(point.attributes), join)


def _joined(items: Iterable[_T], key: Callable[[_T], str], join: Callable[[_T, _T], _T]) -> list[_T]:
    """Return `items` with those of one key joined, in the order in which they came."""
    by_key: dict[str, _T] = {}
    for item in items:
        of_item = key(item)
        by_key[of_item] = join(by_key[of_item], item) if of_item in by_key else item
    return list(by_key.values())


def _text(attributes: Mapping[str, Any] | None) -> str:
    return repr(sorted(item_attributes(attributes).items(), key=lambda item: item[0]))


def _scope_key(given: ScopeMetrics) -> str:
    scope = given.scope
    return repr((scope.name, scope.version, scope.schema_url, given.schema_url, _text(scope.attributes)))


def _join_scopes(one: ScopeMetrics, other: ScopeMetrics) -> ScopeMetrics:
    return replace(one, metrics=merged_metrics([*one.metrics, *other.metrics]))


def _metric_key(metric: Metric) -> str:
    data = metric.data
    temporality = getattr(data, "aggregation_temporality", None)
    return repr((metric.name, metric.unit, type(data), temporality, getattr(data, "is_monotonic", None)))


def _join_metrics(one: Metric, other: Metric) -> Metric:
    data: Any = one.data
    points = merged_points(data, [*one.data.data_points, *other.data.data_points])
    return replace(one, data=replace(data, data_points=points))


def _times(one: Any, other: Any) -> dict[str, Any]:
    """Return what all points that add up have in common: their time, and their exemplars."""
    return {
        "start_time_unix_nano": min(one.start_time_unix_nano or 0, other.start_time_unix_nano or 0),
        "time_unix_nano": max(one.time_unix_nano, other.time_unix_nano),
        "exemplars": [*one.exemplars, *other.exemplars],
    }


def _counts(one: Any, other: Any) -> dict[str, Any]:
    """Return what both kinds of histograms have in common."""
    return {
        **_times(one, other),
        "count": one.count + other.count,
        "sum": one.sum + other.sum,
        "min": min(one.min, other.min),
        "max": max(one.max, other.max),
    }


def add_numbers(one: NumberDataPoint, other: NumberDataPoint) -> NumberDataPoint:
    """Return the point of a sum that stands for both."""
    return replace(one, **_times(one, other), value=one.value + other.value)


def _latest(one: NumberDataPoint, other: NumberDataPoint) -> NumberDataPoint:
    return one if one.time_unix_nano > other.time_unix_nano else other


def add_histograms(one: HistogramDataPoint, other: HistogramDataPoint) -> HistogramDataPoint:
    """Return the point of a histogram that stands for both."""
    # Where bounds differ, which views of two meters may have, those that both have are left: coarser, and true.
    bounds = tuple(bound for bound in one.explicit_bounds if bound in set(other.explicit_bounds))
    counts = [a + b for a, b in zip(_within(bounds, one), _within(bounds, other), strict=True)]
    return replace(one, **_counts(one, other), explicit_bounds=bounds, bucket_counts=counts)


def _within(bounds: Sequence[float], point: HistogramDataPoint) -> list[int]:
    """Return the counts of `point` by `bounds`, all of which it has."""
    if len(bounds) == len(point.explicit_bounds):
        return list(point.bucket_counts)
    counts = [0]
    for at, count in enumerate(point.bucket_counts):
        counts[-1] += count
        if at < len(point.explicit_bounds) and point.explicit_bounds[at] in bounds:
            counts.append(0)
    return counts


def add_exponential(
    one: ExponentialHistogramDataPoint, other: ExponentialHistogramDataPoint
) -> ExponentialHistogramDataPoint:
    """Return the point of an exponential histogram that stands for both."""
    scale = min(one.scale, other.scale)
    sides = [
        _by_index(one, lambda point: point.positive, scale) + _by_index(other, lambda point: point.positive, scale),
        _by_index(one, lambda point: point.negative, scale) + _by_index(other, lambda point: point.negative, scale),
    ]
    while any(side and max(side) - min(side) >= MAX_BUCKETS for side in sides):
        scale, sides = scale - 1, [_coarser(side, 1) for side in sides]
    positive, negative = map(_buckets, sides)
    return replace(
        one,
        **_counts(one, other),
        scale=scale,
        zero_count=one.zero_count + other.zero_count,
        positive=positive,
        negative=negative,
        flags=one.flags | other.flags,
    )


def _by_index(
    point: ExponentialHistogramDataPoint, side: Callable[[ExponentialHistogramDataPoint], Buckets], scale: int
) -> Counter[int]:
    """Return the counts of one side of `point` by the index that a bucket has at `scale`."""
    buckets = side(point)
    found = Counter({buckets.offset + at: count for at, count in enumerate(buckets.bucket_counts) if count})
    return _coarser(found, point.scale - scale)


def _coarser(counts: Counter[int], levels: int) -> Counter[int]:
    """Return `counts` at a scale that is `levels` lower: two neighbouring buckets are one at the next."""
    found: Counter[int] = Counter()
    for index, count in counts.items():
        found[index >> levels] += count
    return found


def _buckets(counts: Counter[int]) -> Buckets:
    if not counts:
        return Buckets(0, [0])
    first = min(counts)
    return Buckets(first, [counts[index] for index in range(first, max(counts) + 1)])


_JOINS: Mapping[type, Callable[[Any, Any], Any]] = {
    Sum: add_numbers,
    Gauge: _latest,
    Histogram: add_histograms,
    ExponentialHistogram: add_exponential,
}
