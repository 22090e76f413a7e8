"""A real Prometheus takes what the Collector makes of metrics that it would refuse with all that is beside them."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from backends import get, prometheus, until
from collector import collector
from otlp_metric_kinds import KINDS, ODD, STEP_NS, request

pytestmark = pytest.mark.backends

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
