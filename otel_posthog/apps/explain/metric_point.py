"""One point of a metric: never a product event, and all that the operational side gets of its texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from otel_posthog.intake.otlp_json.fields import Fields, as_fields
from otel_posthog.intake.otlp_json.values import attributes_of
from otel_posthog.model import Attributes

_DATA = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """A point.

    Attributes:
        name: Of the metric.
        description: Of the metric.
        attributes: Of the point.
        resource: The attributes of the resource that emitted it.
    """

    name: str
    description: str
    attributes: Attributes
    resource: Attributes


def read_otlp_metrics(document: object) -> Iterator[MetricPoint]:
    """Yield the points of an OTLP document's metrics.

    Raises:
        MalformedTelemetry: A field is not what the format says.
    """
    for holder in as_fields(document, "").objects("resourceMetrics"):
        resource = attributes_of(holder.object("resource"), "attributes")
        for scope in holder.objects("scopeMetrics"):
            for metric in scope.objects("metrics"):
                yield from _points(metric, resource)


def _points(metric: Fields, resource: Attributes) -> Iterator[MetricPoint]:
    for kind in _DATA:
        for point in metric.object(kind).objects("dataPoints"):
            attributes = attributes_of(point, "attributes")
            yield MetricPoint(metric.text("name"), metric.text("description"), attributes, resource)
