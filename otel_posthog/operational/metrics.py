"""Metrics on their way to an operational exporter: attributes redacted, series that became one merged.

Two series that differed only in what was taken out (`customer=ada@...`, `customer=bob@...`) would arrive as one series
with two values at one time, which backends refuse or overwrite: sums and histograms are added up, of gauges the latest
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

from otel_posthog.errors import Guard
from otel_posthog.operational.redactor import Redactor
from otel_posthog.sdk import item_attributes, metric_preferences

_Point = TypeVar("_Point", NumberDataPoint, HistogramDataPoint)


class MetricRedactor:
    """Makes redacted copies of metrics.

    Args:
        redactor: The filter of attributes.
        guard: Counts what goes wrong.
    """

    def __init__(self, redactor: Redactor, guard: Guard) -> None:
        self._redactor, self._guard = redactor, guard

    def redact(self, metrics_data: MetricsData) -> MetricsData | None:
        """Return a redacted copy, or None where that failed: then nothing may go on."""
        try:
            return MetricsData([self._resource_metrics(each) for each in metrics_data.resource_metrics])
        except Exception as error:
            self._guard.caught("redact_metrics", error)
            return None

    def _resource_metrics(self, given: ResourceMetrics) -> ResourceMetrics:
        scopes = [self._scope_metrics(each) for each in given.scope_metrics]
        return ResourceMetrics(self._redactor.resource(given.resource), scopes, given.schema_url)

    def _scope_metrics(self, given: ScopeMetrics) -> ScopeMetrics:
        scope = self._redactor.scope(given.scope) or given.scope
        return ScopeMetrics(scope, [self._metric(each) for each in given.metrics], given.schema_url)

    def _metric(self, metric: Metric) -> Metric:
        told = (metric.name, metric.description, metric.unit)
        name, description, unit = clean = tuple(text and self._redactor.text(text) for text in told)
        if clean != told:
            metric = replace(metric, name=name or "", description=description, unit=unit)
        points: list[Any] = [self._point(each) for each in metric.data.data_points]
        if all(new is old for new, old in zip(points, metric.data.data_points, strict=True)):
            return metric
        if isinstance(metric.data, Histogram):
            points = _merged(points, _add_histograms)
        elif isinstance(metric.data, Sum):
            points = _merged(points, _add_numbers)
        elif isinstance(metric.data, Gauge):
            points = _merged(points, _latest)
        data: Any = metric.data
        return replace(metric, data=replace(data, data_points=points))

    def _point(self, point: Any) -> Any:
        given = item_attributes(point.attributes)
        attributes = self._redactor.attributes(given)
        exemplars = [
            replace(each, filtered_attributes=self._redactor.attributes(each.filtered_attributes))
            for each in point.exemplars
        ]
        if attributes is given and not exemplars:
            return point
        return replace(point, attributes=attributes, exemplars=exemplars)


class RedactingMetricExporter(MetricExporter):
    """Wraps a metric exporter.

    Args:
        inner: The exporter that gets the clean metrics.
        redactor: The filter.
        guard: Counts what goes wrong; an export that could not be redacted is withheld whole.
    """

    def __init__(self, inner: MetricExporter, redactor: Redactor, guard: Guard) -> None:
        temporality, aggregation = metric_preferences(inner)
        super().__init__(preferred_temporality=temporality, preferred_aggregation=aggregation)
        self.inner, self._metrics = inner, MetricRedactor(redactor, guard)

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Export a redacted copy of `metrics_data`."""
        clean = self._metrics.redact(metrics_data)
        if clean is None:
            return MetricExportResult.FAILURE
        return self.inner.export(clean, timeout_millis=timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Flush the inner exporter."""
        return self.inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Shut the inner exporter down."""
        self.inner.shutdown(timeout_millis, **kwargs)


def _merged(points: Sequence[_Point], join: Callable[[_Point, _Point], _Point]) -> list[_Point]:
    """Return `points` with those of equal attributes joined into one, in the order in which they came."""
    by_attributes: dict[str, _Point] = {}
    for point in points:
        key = repr(sorted(item_attributes(point.attributes).items(), key=lambda item: item[0]))
        known = by_attributes.get(key)
        by_attributes[key] = point if known is None else join(known, point)
    return list(by_attributes.values())


def _add_numbers(one: NumberDataPoint, other: NumberDataPoint) -> NumberDataPoint:
    return replace(
        one,
        start_time_unix_nano=min(one.start_time_unix_nano or 0, other.start_time_unix_nano or 0),
        time_unix_nano=max(one.time_unix_nano, other.time_unix_nano),
        value=one.value + other.value,
        exemplars=[*one.exemplars, *other.exemplars],
    )


def _latest(one: NumberDataPoint, other: NumberDataPoint) -> NumberDataPoint:
    return one if one.time_unix_nano > other.time_unix_nano else other


def _add_histograms(one: HistogramDataPoint, other: HistogramDataPoint) -> HistogramDataPoint:
    if one.explicit_bounds != other.explicit_bounds:
        return _larger(one, other)
    return replace(
        one,
        start_time_unix_nano=min(one.start_time_unix_nano, other.start_time_unix_nano),
        time_unix_nano=max(one.time_unix_nano, other.time_unix_nano),
        count=one.count + other.count,
        sum=one.sum + other.sum,
        bucket_counts=[a + b for a, b in zip(one.bucket_counts, other.bucket_counts, strict=True)],
        min=min(one.min, other.min),
        max=max(one.max, other.max),
        exemplars=[*one.exemplars, *other.exemplars],
    )


def _larger(one: HistogramDataPoint, other: HistogramDataPoint) -> HistogramDataPoint:
    return one if one.count >= other.count else other
