"""Look for product data on the operational side: an `analytics.` name anywhere in what the OTLP sink received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otel_posthog.testing import OtlpSink, SinkLog, SinkMetric, SinkSpan

PREFIX = "analytics."


def product_items(sink: OtlpSink) -> int:
    """Return how many spans, logs and metrics carry a product attribute or a product event's name."""
    return (
        sum(map(_in_span, tuple(sink.spans)))
        + sum(map(_in_log, tuple(sink.logs)))
        + sum(map(_in_metric, tuple(sink.metrics)))
    )


def _in_span(span: SinkSpan) -> bool:
    in_events = any(name.startswith(PREFIX) or _has(attributes) for name, attributes in span.events)
    return in_events or _has(span.attributes) or _has(span.resource) or _has(span.links)


def _in_log(log: SinkLog) -> bool:
    return (log.event_name or "").startswith(PREFIX) or _has(log.attributes) or _has(log.resource)


def _in_metric(metric: SinkMetric) -> bool:
    return _has(metric.resource) or any(_has(attributes) for attributes, _ in metric.points)


def _has(value: object) -> bool:
    """Return whether a key that begins with the prefix stands anywhere in `value`."""
    if isinstance(value, Mapping):
        return any(str(key).startswith(PREFIX) or _has(inner) for key, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return any(map(_has, value))
    return False
