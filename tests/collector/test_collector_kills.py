"""A Collector that ends, or may not send: what the table of `docs/collector.md` says is kept arrives, all of it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from backends import until
from collector import STACK, Collector, collector
from gateway import logs_request
from otlp_bursts import logs, metrics, traces
from ports import free_port

from otel_posthog.testing import OtlpSink

BASE = ("base", "privacy")
GRAFANA, POSTHOG = ("/v1/traces", "/v1/logs", "/v1/metrics"), ("product",)
COUNT = 200
WAIT_S = 30
DECIDED_AFTER_S = 3.5  # a wait of one second, which ends at the next tick, and the batch behind it
SIDES = {
    "grafana": ((*BASE, "grafana", "persistent-grafana"), GRAFANA),
    "grafana behind one address": ((*BASE, "grafana", "lgtm", "persistent-grafana"), GRAFANA),
    "posthog": ((*BASE, "posthog", "persistent-posthog"), POSTHOG),
    "both sides": ((*STACK, "persistent-grafana", "persistent-posthog"), (*GRAFANA, *POSTHOG)),
    "both sides, one of them on disk": ((*STACK, "persistent-grafana"), GRAFANA),
    "both sides, the other one on disk": ((*STACK, "persistent-posthog"), POSTHOG),
}
BODIES = {
    "/v1/traces": ("/v1/traces", traces(0, COUNT)),
    "/v1/logs": ("/v1/logs", logs(0, COUNT)),
    "/v1/metrics": ("/v1/metrics", metrics(0, COUNT)),
    "product": ("/v1/logs", logs_request(*["e"] * COUNT).SerializeToString()),
}


class Place:
    """Where a Collector runs and comes back to, with backends that are away until they are not."""

    def __init__(self, directory: Path) -> None:
        self.ports = free_port(), free_port(), free_port()
        self.operational, self.gateway = OtlpSink(port=free_port()), OtlpSink(port=free_port())
        self.environ = {
            **dict.fromkeys(
                ("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT", "LGTM_ENDPOINT"), self.operational.url
            ),
            "OTEL_POSTHOG_GATEWAY_ENDPOINT": self.gateway.url,
            "QUEUE_DIRECTORY": str(directory),
            "SAMPLING_DECISION_WAIT": "1s",
        }

    def arrived(self) -> dict[str, int]:
        """Return how much of each kind is there."""
        return {
            "/v1/traces": len({each.trace_id for each in self.operational.spans}),
            "/v1/logs": sum(each.body == "said" for each in self.operational.logs),
            "/v1/metrics": sum(len(each.points) for each in self.operational.metrics if each.name == "depth"),
            "product": len({each.attributes["log.record.uid"] for each in self.gateway.logs}),
        }

    @contextmanager
    def collector(self, layers: tuple[str, ...]) -> Iterator[Collector]:
        """Run one."""
        with collector(*layers, ports=self.ports, environ=self.environ) as made:
            yield made


def given(made: Collector, kinds: tuple[str, ...]) -> None:
    """Send some of each kind, all of which is acknowledged."""
    for kind in kinds:
        assert made.post(*BODIES[kind]) == 200, kind


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
@pytest.mark.parametrize("side", SIDES)
def test_what_is_in_a_queue_on_disk_outlives_the_collector(side: str, number: int, tmp_path: Path) -> None:
    """Of each kind that the layer says: all of it, from the next Collector."""
    layers, kinds = SIDES[side]
    place = Place(tmp_path)
    with place.collector(layers) as made:
        given(made, kinds)
        if "/v1/traces" in kinds and number == signal.SIGKILL:
            time.sleep(DECIDED_AFTER_S)
        made.tree.end(number)
    with place.operational, place.gateway, place.collector(layers):
        expected = dict.fromkeys(kinds, COUNT)
        until(lambda: {kind: place.arrived()[kind] for kind in kinds} == expected, WAIT_S)


def test_without_them_a_killed_collector_loses_what_it_held(tmp_path: Path) -> None:
    """The control: nothing of it comes from the next."""
    place = Place(tmp_path)
    with place.collector(STACK) as made:
        given(made, (*GRAFANA, *POSTHOG))
        made.tree.end(signal.SIGKILL)
    with place.operational, place.gateway, place.collector(STACK) as made:
        assert made.post("/v1/metrics", metrics(0, 1)) == 200
        until(lambda: place.arrived()["/v1/metrics"] == 1, WAIT_S)
        assert place.arrived() == {"/v1/traces": 0, "/v1/logs": 0, "/v1/metrics": 1, "product": 0}


def test_an_item_larger_than_a_batch_takes_what_is_behind_it_along(tmp_path: Path) -> None:
    """With small limits in place of 1 and 3 MB: only a line in the log tells how many; what stood before it arrives."""
    small = [
        f"yaml:exporters::{name}::sending_queue::batch: {{min_size: 500, max_size: 1000, flush_timeout: 50ms}}"
        for name in ("otlp_http/gateway", "otlp_http/loki")
    ]
    place = Place(tmp_path)
    body = logs_request(*["e"] * COUNT)
    record = body.resource_logs[0].scope_logs[0].log_records[COUNT // 2]
    record.attributes.add(key="error.type").value.string_value = "x" * 2000
    with (
        place.operational,
        place.gateway,
        collector(*STACK, *small, environ=place.environ, has_metrics=True) as made,
    ):
        assert made.post("/v1/logs", body.SerializeToString()) == 200
        until(lambda: place.arrived()["product"] == COUNT // 2, WAIT_S)
        assert f"greater than max size, dropping items: {COUNT // 2}" in made.tree.out
        until(lambda: made.counted("otelcol_exporter_sent_log_records") == COUNT // 2, WAIT_S)
        assert made.counted("otelcol_exporter_send_failed_log_records") == 0


def test_what_a_backend_refuses_for_good_is_lost_with_a_line_in_the_log(tmp_path: Path) -> None:
    """A token that the gateway does not know: what comes when it does is taken."""
    place = Place(tmp_path)
    layers = SIDES["posthog"][0]
    with place.gateway, place.collector(layers) as made:
        place.gateway.status = 401
        given(made, POSTHOG)
        until(lambda: "Exporting failed. Dropping data" in made.tree.out, WAIT_S)
        place.gateway.status = 200
        assert made.post("/v1/logs", logs_request("e", first=COUNT).SerializeToString()) == 200
        until(lambda: place.arrived()["product"] == 1, WAIT_S)
