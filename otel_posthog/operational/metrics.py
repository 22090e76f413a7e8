"""Metrics on their way to an operational exporter: attributes redacted, series that became one merged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)

from otel_posthog.errors import Guard
from otel_posthog.operational.redactor import Redactor
from otel_posthog.operational.series import merged_metrics, merged_points, merged_scopes
from otel_posthog.sdk import item_attributes, metric_preferences


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
        if any(new.scope is not old.scope for new, old in zip(scopes, given.scope_metrics, strict=True)):
            scopes = merged_scopes(scopes)
        return ResourceMetrics(self._redactor.marked_resource(given.resource), scopes, self._text(given.schema_url))

    def _scope_metrics(self, given: ScopeMetrics) -> ScopeMetrics:
        scope = self._redactor.scope(given.scope) or given.scope
        metrics = [self._metric(each) for each in given.metrics]
        if any((new.name, new.unit) != (old.name, old.unit) for new, old in zip(metrics, given.metrics, strict=True)):
            metrics = merged_metrics(metrics)
        return ScopeMetrics(scope, metrics, self._text(given.schema_url))

    def _text(self, text: str) -> str:
        return text and self._redactor.text(text)

    def _metric(self, metric: Metric) -> Metric:
        told = (metric.name, metric.description, metric.unit)
        name, description, unit = clean = tuple(text and self._redactor.text(text) for text in told)
        if clean != told:
            metric = replace(metric, name=name or "", description=description, unit=unit)
        points: list[Any] = [self._point(each) for each in metric.data.data_points]
        if all(new is old for new, old in zip(points, metric.data.data_points, strict=True)):
            return metric
        data: Any = metric.data
        return replace(metric, data=replace(data, data_points=merged_points(data, points)))

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
