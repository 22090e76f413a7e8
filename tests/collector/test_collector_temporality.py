"""Deltas become cumulative in a real Collector, and what Prometheus would refuse does not reach its exporter."""

from __future__ import annotations

import time
from typing import Any

import pytest
from collector import collector
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from otlp_metric_kinds import CUMULATIVE, KINDS, ODD, STEP_NS, request

from otel_posthog.testing import OtlpSink

LAYERS = [("base", "privacy", "grafana"), ("base", "grafana", "exact")]
AT_ONCE = "yaml:exporters::otlp_http/prometheus::sending_queue::batch::flush_timeout: 50ms"
WAIT_S = 30


def arrived(sink: OtlpSink) -> list[tuple[str, int, Any]]:
    """Return name, temporality and point of all that reached the exporter of metrics, in order."""
    found: list[tuple[str, int, Any]] = []
    for each in list(sink.requests):
        if each.path != "/v1/metrics":
            continue
        for resource in ExportMetricsServiceRequest.FromString(each.body).resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                data = getattr(metric, str(metric.WhichOneof("data")))
                temporality = getattr(data, "aggregation_temporality", CUMULATIVE)
                found += [(metric.name, temporality, point) for point in data.data_points]
    return found


def values(sink: OtlpSink, name: str) -> list[int]:
    """Return what the points of a metric say, in order."""
    return [
        point.count if hasattr(point, "count") else point.as_int for found, _, point in arrived(sink) if found == name
    ]


def through(layers: tuple[str, ...], sink: OtlpSink, *bodies: bytes) -> None:
    """Send each request through a Collector that is begun anew, one after the other, and wait for all."""
    at_once = () if "exact" in layers else (AT_ONCE,)
    environ = dict.fromkeys(("PROMETHEUS_ENDPOINT", "OTEL_POSTHOG_OPERATIONAL_ENDPOINT"), sink.url)
    with collector(*layers, *at_once, environ=environ) as made:
        for body in bodies:
            arrives_after(sink, len(values(sink, "neighbour")), made.post("/v1/metrics", body))


def arrives_after(sink: OtlpSink, before: int, status: int) -> None:
    """Wait for the gauge of a request that was acknowledged."""
    assert status == 200
    assert sink.wait_until(lambda: len(values(sink, "neighbour")) > before, WAIT_S)


@pytest.mark.parametrize("layers", LAYERS, ids="+".join)
def test_deltas_add_up_and_start_again_from_zero(layers: tuple[str, ...]) -> None:
    """Of every kind, falling sums too; the same request again changes nothing, a new Collector begins a new series."""
    now = time.time_ns()
    with OtlpSink() as sink:
        second = request(now + STEP_NS, 3)
        through(layers, sink, request(now, 2), second, second)
        through(layers, sink, request(now + 2 * STEP_NS, 4))
        points = arrived(sink)
        assert {temporality for _, temporality, _ in points} == {CUMULATIVE}
        for kind in KINDS:
            assert values(sink, f"{kind}_delta") == [2, 5, 4], kind
            assert values(sink, f"{kind}_cumulative") == [2, 3, 3, 4], kind
            starts = [point.start_time_unix_nano for name, _, point in points if name == f"{kind}_delta"]
            assert starts[0] == starts[1] < starts[2], kind


@pytest.mark.parametrize("layers", LAYERS, ids="+".join)
def test_what_prometheus_refuses_with_all_beside_it_does_not_get_there(layers: tuple[str, ...]) -> None:
    """No data, name, temporality or time, a time to come, a scale too wide: the others arrive."""
    with OtlpSink() as sink:
        through(layers, sink, request(time.time_ns(), 2))
        names = {name for name, _, _ in arrived(sink)}
        expected = {f"{kind}_{word}" for kind in KINDS for word in ("delta", "cumulative")}
        assert names == {*expected, "neighbour"}
        assert not names & {*ODD, ""}
