"""A real Prometheus takes what the Collector makes of metrics that it would refuse with all that is beside them."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from backends import get, prometheus, until
from collector import collector
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from otlp_metric_kinds import KINDS, ODD, STEP_NS, request

pytestmark = pytest.mark.backends

START_NS = time.time_ns() - 60 * 10**9
REFUSED = [*(f"{kind}_{word}" for kind in KINDS for word in ("delta", "unspecified")), *ODD]


def shown(url: str, query: str) -> float | None:
    """Return the value of the series that `query` has now; None where there is none."""
    found = get(f"{url}/api/v1/query", query=query)["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def test_neighbours_of_all_that_prometheus_refuses_arrive(tmp_path: Path) -> None:
    """Straight to Prometheus each has all refused; through the Collector deltas are added up and the rest arrives."""
    now = time.time_ns() - 2 * STEP_NS
    with prometheus(tmp_path) as url:
        for name in REFUSED:
            given = urllib.request.Request(f"{url}/api/v1/otlp/v1/metrics", request(now, 2, name), method="POST")
            given.add_header("Content-Type", "application/x-protobuf")
            with pytest.raises(urllib.error.HTTPError) as refusal, urllib.request.urlopen(given, timeout=30):
                pass
            refusal.value.close()
        assert shown(url, "neighbour") is None
        with collector("base", "privacy", "grafana", environ={"PROMETHEUS_ENDPOINT": f"{url}/api/v1/otlp"}) as made:
            for number in (0, 1):
                assert made.post("/v1/metrics", request(now + number * STEP_NS, 2 + number)) == 200
            until(lambda: shown(url, "neighbour") == 3)
            assert shown(url, "counter_delta_total") == shown(url, "up_and_down_delta") == 5
            assert shown(url, "histogram_delta_count") == 5
            assert shown(url, "histogram_count(exponential_delta)") == 5
            assert shown(url, "counter_cumulative_total") == 3
            assert "Dropping data" not in made.tree.out


def test_customers_whose_addresses_go_stay_apart_and_right(tmp_path: Path) -> None:
    """The Collector's own filters take what tells three series apart: three remain, twice, each with its own figure."""
    with prometheus(tmp_path) as url:
        environ = {"PROMETHEUS_ENDPOINT": f"{url}/api/v1/otlp", "OTEL_POSTHOG_UUID_KEY": "k" * 32}
        with collector("base", "privacy", "grafana", environ=environ) as made:
            for turn in (1, 2):
                sent = ExportMetricsServiceRequest()
                metric = sent.resource_metrics.add().scope_metrics.add().metrics.add(name="orders")
                metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True  # type: ignore[assignment]
                for number, name in ((3, "ada"), (5, "bob"), (7, "eve")):
                    at = time.time_ns() - STEP_NS
                    point = metric.sum.data_points.add(as_int=turn * number, time_unix_nano=at)
                    point.start_time_unix_nano = START_NS
                    point.attributes.add(key="customer").value.string_value = f"{name}@example.org"
                assert made.post("/v1/metrics", sent.SerializeToString()) == 200
                until(lambda turn=turn: shown(url, "sum(orders_total)") == turn * 15)  # type: ignore[misc]
            found = get(f"{url}/api/v1/query", query="orders_total")["data"]["result"]
            assert sorted(float(each["value"][1]) for each in found) == [6, 10, 14]
            assert {each["metric"]["customer"] for each in found} == {"****"}
            assert len({each["metric"]["otel_posthog_series"] for each in found}) == 3
