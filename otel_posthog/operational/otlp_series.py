"""Series in OTLP messages that became one when something was taken out, joined as those of an app's SDK are.

A request of a Collector may hold several collections of an app: a series has a point for each. So points are joined
with those of the same time only, and what had been one series before stays several points. Of a running total that was
not told at a time, the last one before counts: left out, the sum would go down and up again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    DataPointFlags,
    ResourceMetrics,
)
from opentelemetry.sdk.metrics.export import (
    Buckets,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    NumberDataPoint,
)

from otel_posthog.model import Attributes
from otel_posthog.operational.series import add_exponential, add_histograms, add_numbers

_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_INT64 = range(-(2**63), 2**63)


class Given:
    """What a resource's metrics were before they were filtered, in the order in which they were looked at."""

    def __init__(self) -> None:
        self._scopes: list[str] = []
        self._metrics: list[tuple[str, str]] = []
        self._points: list[tuple[Attributes, Attributes]] = []

    def see_scope(self, scope: Any) -> None:
        """Remember a scope that is about to be filtered."""
        self._scopes.append(_scope_key(scope))

    def see_metric(self, metric: Any) -> None:
        """Remember a metric that is about to be filtered."""
        self._metrics.append((metric.name, metric.unit))

    def see_point(self, given: Attributes, clean: Attributes) -> None:
        """Remember the attributes of a point, and what is left of them."""
        self._points.append((given, clean))

    def is_changed(self, holder: ResourceMetrics) -> tuple[bool, bool, bool]:
        """Return whether scopes, names of metrics and attributes of points became others."""
        scopes = [_scope_key(scope) for scope in holder.scope_metrics]
        metrics = [(metric.name, metric.unit) for scope in holder.scope_metrics for metric in scope.metrics]
        return scopes != self._scopes, metrics != self._metrics, any(one is not other for one, other in self._points)

    def series(self, holder: ResourceMetrics) -> dict[int, list[list[_Point]]]:
        """Return the points of `holder`, by scope and metric, each with the series that it was of."""
        metrics, points = iter(self._metrics), iter(self._points)
        found: dict[int, list[list[_Point]]] = {}
        for at, (key, scope) in enumerate(zip(self._scopes, holder.scope_metrics, strict=True)):
            found[at] = []
            for metric in scope.metrics:
                origin = (key, *next(metrics))
                found[at].append([_Point(each, origin, *next(points)) for each in _points(metric)])
        return found


class _Point:
    """A filtered point.

    Args:
        message: The point.
        metric: What it was of.
        given: Its attributes before.
        clean: Its attributes.
    """

    __slots__ = ("_clean", "_given", "_metric", "message")

    def __init__(self, message: Any, metric: tuple[str, str, str], given: Attributes, clean: Attributes) -> None:
        self.message, self._metric, self._given, self._clean = message, metric, given, clean

    @property
    def key(self) -> str:
        """The series that it is of now."""
        return _text(self._clean)

    @property
    def origin(self) -> str:
        """The series that it was of."""
        return repr((self._metric, _text(self._given)))


def merge_series(holder: ResourceMetrics, given: Given) -> None:
    """Join what became one in the filtered `holder`: scopes, then metrics, then points.

    Args:
        holder: The metrics of a resource.
        given: What they were.
    """
    has_other_scopes, has_other_names, has_other_points = given.is_changed(holder)
    if not (has_other_scopes or has_other_names or has_other_points):
        return
    points = given.series(holder)
    scopes: dict[str, list[tuple[Any, list[_Point]]]] = {}
    first: dict[str, Any] = {}
    for at, scope in enumerate(holder.scope_metrics):
        key = _scope_key(scope) if has_other_scopes else str(at)
        first.setdefault(key, scope)
        scopes.setdefault(key, []).extend(zip(scope.metrics, points[at], strict=True))
    for key, metrics in scopes.items():
        joined = _joined_metrics(metrics, are_joined=has_other_names or has_other_scopes)
        for metric, of_metric in joined:
            _merge_points(metric, of_metric)
        kept = [metric for metric, _ in joined]
        del first[key].metrics[:]
        first[key].metrics.extend(kept)
    if len(first) < len(holder.scope_metrics):
        left = list(first.values())
        del holder.scope_metrics[:]
        holder.scope_metrics.extend(left)


def _joined_metrics(
    metrics: Sequence[tuple[Any, list[_Point]]], *, are_joined: bool
) -> Sequence[tuple[Any, list[_Point]]]:
    if not are_joined:
        return metrics
    found: dict[str, tuple[Any, list[_Point]]] = {}
    for metric, points in metrics:
        key = _metric_key(metric)
        if key in found:
            found[key][1].extend(points)
        else:
            found[key] = metric, list(points)
    return list(found.values())


def _merge_points(metric: Any, points: Sequence[_Point]) -> None:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    groups: dict[str, list[_Point]] = {}
    for point in points:
        groups.setdefault(point.key, []).append(point)
    merged = [each for group in groups.values() for each in _merged(kind, data, group)]
    if len(points) != len(data.data_points) or {id(each) for each in merged} != {id(each.message) for each in points}:
        copies = [type(each)() for each in merged]
        for copied, each in zip(copies, merged, strict=True):
            copied.CopyFrom(each)
        del data.data_points[:]
        data.data_points.extend(copies)


def _merged(kind: str, data: Any, group: list[_Point]) -> list[Any]:
    """Return the points of one series, in the order of their times if they were of several."""
    messages = [point.message for point in group]
    if len(group) == 1:
        return messages
    series: dict[str, list[Any]] = {}
    for point in group:
        series.setdefault(point.origin, []).append(point.message)
    if len(series) == 1:
        return messages
    is_total = getattr(data, "aggregation_temporality", 0) == AGGREGATION_TEMPORALITY_CUMULATIVE
    is_total = is_total or kind == "summary"
    times = dict.fromkeys(message.time_unix_nano for message in messages)
    found = []
    for time in sorted(times) if len(times) > 1 else times:
        of_time = [each for of_one in series.values() for each in _told(of_one, time, is_total=is_total)]
        found.append(_sum(kind, of_time))
        found[-1].time_unix_nano = time
    return found


def _told(of_one: list[Any], time: int, *, is_total: bool) -> Iterable[Any]:
    """Return what a series told at a time; of a running total the last that it had told by then."""
    now = [each for each in of_one if each.time_unix_nano == time]
    if now or not is_total:
        return now[-1:] if is_total else now
    before = [each for each in of_one if each.time_unix_nano < time]
    return [max(before, key=lambda each: each.time_unix_nano)] if before else ()


def _sum(kind: str, points: Sequence[Any]) -> Any:
    """Return a new point that stands for `points`."""
    told = [each for each in points if not each.flags & _NO_VALUE] or points[:1]
    made = type(told[0])()
    made.CopyFrom(told[0])
    if len(told) > 1:
        _WAYS[kind](made, told)
    return made


def _common(point: Any) -> dict[str, Any]:
    return {
        "attributes": {},
        "start_time_unix_nano": point.start_time_unix_nano,
        "time_unix_nano": point.time_unix_nano,
        "exemplars": list(getattr(point, "exemplars", ())),
    }


def _write_common(made: Any, joined: Any, told: Sequence[Any]) -> None:
    made.start_time_unix_nano, made.time_unix_nano = joined.start_time_unix_nano, joined.time_unix_nano
    made.flags = reduce(lambda flags, each: flags | each.flags, told, 0)
    # They are messages of `told`, which `made` is no part of.
    exemplars = [each for point in told for each in point.exemplars]
    del made.exemplars[:]
    made.exemplars.extend(exemplars)


def _write_counts(made: Any, joined: Any, told: Sequence[Any]) -> None:
    _write_common(made, joined, told)
    made.count = joined.count
    for name in ("sum", "min", "max"):
        # What one of them does not tell is not known of all.
        if all(each.HasField(name) for each in told):
            setattr(made, name, getattr(joined, name))
        else:
            made.ClearField(name)


def _number(point: Any) -> NumberDataPoint:
    return NumberDataPoint(**_common(point), value=getattr(point, point.WhichOneof("value") or "as_int"))


def _write_sum(made: Any, told: Sequence[Any]) -> None:
    joined = reduce(add_numbers, map(_number, told))
    _write_common(made, joined, told)
    if isinstance(joined.value, int) and joined.value in _INT64:
        made.as_int = joined.value
    else:
        made.as_double = float(joined.value)


def _write_latest(made: Any, told: Sequence[Any]) -> None:
    """Take the latest, as `series.latest` does, whole."""
    made.CopyFrom(max(reversed(told), key=lambda each: each.time_unix_nano))


def _histogram(point: Any) -> HistogramDataPoint:
    bounds, counts = list(point.explicit_bounds), list(point.bucket_counts)
    if len(counts) != len(bounds) + 1:
        # Without buckets all values are in one.
        bounds, counts = [], [point.count]
    return HistogramDataPoint(
        **_common(point), count=point.count, sum=point.sum, min=point.min, max=point.max,
        bucket_counts=counts, explicit_bounds=bounds,
    )  # fmt: skip


def _write_histogram(made: Any, told: Sequence[Any]) -> None:
    joined = reduce(add_histograms, map(_histogram, told))
    _write_counts(made, joined, told)
    made.explicit_bounds[:] = joined.explicit_bounds
    has_buckets = bool(joined.explicit_bounds) or all(each.bucket_counts for each in told)
    made.bucket_counts[:] = joined.bucket_counts if has_buckets else ()


def _exponential(point: Any) -> ExponentialHistogramDataPoint:
    sides = [Buckets(side.offset, list(side.bucket_counts) or [0]) for side in (point.positive, point.negative)]
    return ExponentialHistogramDataPoint(
        **_common(point), count=point.count, sum=point.sum, scale=point.scale, zero_count=point.zero_count,
        positive=sides[0], negative=sides[1], flags=point.flags, min=point.min, max=point.max,
    )  # fmt: skip


def _write_exponential(made: Any, told: Sequence[Any]) -> None:
    joined = reduce(add_exponential, map(_exponential, told))
    _write_counts(made, joined, told)
    threshold = max(each.zero_threshold for each in told)
    if any(each.zero_threshold != threshold for each in told):
        joined, threshold = _with_threshold(joined, threshold)
    made.scale, made.zero_count, made.zero_threshold = joined.scale, joined.zero_count, threshold
    for name in ("positive", "negative"):
        side, buckets = getattr(made, name), getattr(joined, name)
        side.offset, side.bucket_counts[:] = buckets.offset, buckets.bucket_counts


def _with_threshold(
    point: ExponentialHistogramDataPoint, threshold: float
) -> tuple[ExponentialHistogramDataPoint, float]:
    """Return `point` with what may be below `threshold` counted as zero, and the threshold that holds for all of it.

    Source: https://opentelemetry.io/docs/specs/otel/metrics/data-model/#zero-count-and-zero-threshold.
    """
    base, zeros, raised = 2.0 ** (2.0**-point.scale), point.zero_count, threshold
    sides: list[Buckets] = []
    for side in (point.positive, point.negative):
        counts = list(side.bucket_counts)
        for at, count in enumerate(counts):
            index = side.offset + at
            if count and base**index < threshold:
                zeros, counts[at], raised = zeros + count, 0, max(raised, base ** (index + 1))
        sides.append(Buckets(side.offset, counts))
    return replace(point, zero_count=zeros, positive=sides[0], negative=sides[1]), raised


def _write_summary(made: Any, told: Sequence[Any]) -> None:
    """Add up what can be; quantiles of two summaries say nothing of both."""
    made.start_time_unix_nano = min(each.start_time_unix_nano for each in told)
    made.count, made.sum = sum(each.count for each in told), sum(each.sum for each in told)
    del made.quantile_values[:]


_WAYS: Mapping[str, Callable[[Any, Sequence[Any]], None]] = {
    "gauge": _write_latest,
    "sum": _write_sum,
    "histogram": _write_histogram,
    "exponential_histogram": _write_exponential,
    "summary": _write_summary,
}


def _points(metric: Any) -> Sequence[Any]:
    kind = metric.WhichOneof("data")
    return list(getattr(metric, kind).data_points) if kind else ()


def _text(attributes: Attributes) -> str:
    return repr(sorted(attributes.items(), key=lambda item: item[0]))


def _scope_key(given: Any) -> str:
    return repr((given.scope.SerializeToString(deterministic=True), given.schema_url))


def _metric_key(metric: Any) -> str:
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind) if kind else None
    temporality = getattr(data, "aggregation_temporality", None)
    return repr((metric.name, metric.unit, kind, temporality, getattr(data, "is_monotonic", None)))
