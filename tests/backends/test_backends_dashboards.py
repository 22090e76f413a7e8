"""The dashboards of gateway, Collector, Kafka and product: every query answers, of real programs and a real Prometheus.

The health dashboard and the alert rules of an app are in `tests/dashboards/`, which is quick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from backends import prometheus, until
from collector import collector
from gateway import Gateway, gateway, logs_request, spans_request
from kafka import Broker
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from ports import free_port
from shown import answers, asked, filled, labels, rules, variables
from whole_way import whole_way

from otel_posthog.testing import FakePostHog
from otel_posthog.testing.fake_posthog import Fault

pytestmark = pytest.mark.backends

OUT, IN = ("base", "privacy", "posthog", "kafka-out"), ("base", "privacy", "posthog", "kafka-in")
UNREDACTED = "yaml:service::pipelines::logs/product::processors: [filter/product, transform/product_before]"


def settings(*ports: int) -> str:
    """Return the settings of a Prometheus that asks Collectors for their own metrics each second."""
    targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    return (
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: otelcol, static_configs: [{{targets: [{targets}]}}]}}]\n"
    )


@contextmanager
def programs(folder: Path, posthog: FakePostHog) -> Iterator[tuple[str, Gateway, Any, Any]]:
    """Run Kafka, a Collector on each side of it, Prometheus and the gateway, and yield where they are."""
    port = free_port()
    (folder / "policy.yaml").write_text("delivery: {max_spool_bytes: 300000}\n", encoding="utf-8")
    with ExitStack() as all_of_it:
        enter = all_of_it.enter_context
        broker = Broker(folder)
        enter(broker.run())
        broker.make("product_spans", "product_logs")
        environ = {"KAFKA_BROKERS": broker.address, "KAFKA_TOPIC": "product", "KAFKA_GROUP": "product"}
        front = enter(collector(*OUT, UNREDACTED, environ=environ, has_metrics=True))
        behind = {**environ, "OTEL_POSTHOG_GATEWAY_ENDPOINT": f"http://127.0.0.1:{port}"}
        back = enter(collector(*IN, environ=behind, has_metrics=True))
        url = enter(prometheus(folder, settings(front.metrics_port, back.metrics_port)))
        receiver = enter(
            gateway(
                *("--policy", str(folder / "policy.yaml")),
                posthog=posthog.url,
                directory=folder / "gateway",
                http_port=port,
                grpc=True,
                OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"{url}/api/v1/otlp/v1/metrics",
                OTEL_METRIC_EXPORT_INTERVAL="1000",
            )
        )
        yield url, receiver, front, back


def test_gateway_collector_and_kafka(tmp_path: Path, fake_posthog: FakePostHog) -> None:
    """What came over HTTP, gRPC and Kafka, what was refused and rejected, and the lag while the gateway waits."""
    with programs(tmp_path, fake_posthog) as (url, receiver, front, _):
        for _ in range(3):
            assert receiver.post("/v1/logs", logs_request("e", "f").SerializeToString())[0] == 200
            assert receiver.post("/v1/traces", spans_request("e").SerializeToString())[0] == 200
            assert front.post("/v1/logs", logs_request("g").SerializeToString()) == 200
            assert front.post("/v1/traces", spans_request("g").SerializeToString()) == 200
        with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
            LogsServiceStub(channel).Export(logs_request("h"))  # type: ignore[no-untyped-call]
        assert receiver.post("/v1/logs", logs_request("x" * 500).SerializeToString())[0] == 200  # rejected
        until(lambda: {"e", "f", "g", "h"} <= {each.event for each in fake_posthog.unique_events}, 60)
        fake_posthog.fault(Fault(status=503, times=None))
        with suppress(AssertionError):
            until(lambda: not silent(url), 20)
        assert silent(url) == set()
        offered = {name: labels(url, selector, label) for name, selector, label in variables("gateway")}
        assert offered["service"] == ["otel-posthog-gateway"]
        alarms = {each["alert"]: each["expr"].replace("> 10000", ">= 0") for each in rules()}
        assert not answers(url, alarms["ProductEventsGatewayRefuses"])
        # PostHog takes nothing, the spool is small: it fills, and what is behind it waits in Kafka.
        full = logs_request(*["e"] * 100).SerializeToString()
        until(lambda: receiver.post("/v1/logs", full)[0] == 503)
        until(lambda: answers(url, alarms["ProductEventsGatewayRefuses"]), 30)
        receiver.tree.end()
        assert front.post("/v1/logs", logs_request("late").SerializeToString()) == 200
        stands = alarms["ProductEventsKafkaStands"]
        assert not answers(url, stands)
        until(lambda: answers(url, stands.replace("10m", "5s")), 30)
        assert answers(url, alarms["ProductEventsKafkaLags"])


def test_the_product_in_operations(tmp_path: Path) -> None:
    """Events by name beside requests, latency and errors of their routes, of a help desk behind a Collector."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("operational: {event_names: true}\n", encoding="utf-8")
    named = {"OTEL_POSTHOG_POLICY": str(policy), "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
    with FakePostHog() as own, whole_way(tmp_path, POSTHOG_API_KEY="phc_test", POSTHOG_HOST=own.url, **named) as ends:
        url = ends.prometheus_url
        with suppress(AssertionError):
            until(lambda: not silent(url, "product"), 20)
        assert silent(url, "product") == set()
        offered = {name: labels(url, selector, label) for name, selector, label in variables("product")}
        assert (offered["deployment"], offered["service"]) == (["test"], ["helpdesk"])
        assert {"/login", "/tickets/<int:ticket_id>"} <= set(offered["route"])
        assert set(offered["event"]) == {each.event for each in own.unique_events}
        counted = answers(url, "sum by (event_name) (otel_posthog_events_by_name_total)")
        by_name = Counter(each.event for each in own.unique_events)
        assert {each["metric"]["event_name"]: int(each["value"][1]) for each in counted} == by_name
        assert not [each.telltale for each in ends.tally.planted if each.telltale in str(counted)]


def silent(url: str, name: str = "gateway") -> set[str]:
    """Return the panels of a dashboard of which a query answers nothing."""
    return {each.panel for each in asked(name) if not answers(url, filled(each.text))}
