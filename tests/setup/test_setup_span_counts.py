"""The SDK's own counts of spans are those of the app without us, whatever is recorded for product events."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.sdk.environment_variables import OTEL_TRACES_SAMPLER
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import SpanKind

import otel_posthog
from otel_posthog.policy import Policy
from otel_posthog.testing import FakePostHog

COUNTS = {"otel.sdk.span.started", "otel.sdk.span.live"}


class ByName(Sampler):
    """Drops, records and samples spans by their name."""

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *_: Any, **__: Any) -> SamplingResult:
        """Return the decision of that name, else a drop."""
        return SamplingResult(Decision[name] if name in Decision.__members__ else Decision.DROP)

    def get_description(self) -> str:
        """Return its name."""
        return "ByName"


SAMPLERS = {"off": ALWAYS_OFF, "on": ALWAYS_ON, "parent": ParentBased(ALWAYS_OFF), "by name": ByName()}


def _counted(sampler: Sampler, reader: InMemoryMetricReader, policy: Policy | None) -> set[tuple[Any, ...]]:
    """Return what the SDK has counted of some spans, one of them not over yet."""
    meters = MeterProvider([reader], shutdown_on_exit=False)
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False, meter_provider=meters)
    if policy is not None:
        otel_posthog.configure(tracer_provider=provider, meter_provider=meters, policy=policy)
    tracer = provider.get_tracer("t")
    for name in ("DROP", "RECORD_ONLY", "RECORD_AND_SAMPLE", "DROP"):
        with tracer.start_as_current_span(name, kind=SpanKind.SERVER), tracer.start_as_current_span("RECORD_ONLY"):
            thread = threading.Thread(target=tracer.start_span, args=("DROP",))
            thread.start()
            thread.join()
            tracer.start_span("RECORD_AND_SAMPLE", attributes={"analytics.event": "seen"}).end()
    found = reader.get_metrics_data()
    assert found is not None
    return {
        (metric.name, *sorted((point.attributes or {}).items()), point.value)  # type: ignore[union-attr]
        for resource in found.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name in COUNTS
    }


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("light", ["true", "false"])
@pytest.mark.usefixtures("not_set_up")
def test_the_sdk_counts_what_it_would_without_us(
    name: str, light: str, monkeypatch: pytest.MonkeyPatch, fake_posthog: FakePostHog
) -> None:
    """Started and live spans by decision: dropped, recorded and sampled ones, of requests, inside, on threads."""
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    monkeypatch.setenv("OTEL_POSTHOG_LIGHT_SPANS", light)
    monkeypatch.delenv(OTEL_TRACES_SAMPLER, raising=False)
    expected = _counted(SAMPLERS[name], InMemoryMetricReader(), None)
    policy = Policy().with_credentials(fake_posthog.api_key, fake_posthog.url)
    assert {each[0] for each in expected} >= {"otel.sdk.span.started"}
    assert _counted(SAMPLERS[name], InMemoryMetricReader(), policy) == expected
