"""Product events through a real Kafka broker: what the first Collector acknowledged, the second gives the gateway."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from backends import until
from collector import Collector, collector
from gateway import logs_request, spans_request
from kafka import Broker
from ports import free_port

from otel_posthog.testing import OtlpSink

OUT = ("base", "privacy", "posthog", "kafka-out")
IN = ("base", "privacy", "posthog", "kafka-in")
QUICK = (
    "yaml:exporters::kafka/product::retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}",
    "yaml:exporters::kafka/product::sending_queue::batch::flush_timeout: 50ms",
)
SOON_GONE = ("yaml:receivers::kafka/product: {session_timeout: 1s, heartbeat_interval: 200ms}",)
UNREDACTED = "yaml:service::pipelines::logs/product::processors: [filter/product, transform/product_before]"
"""What is left out takes many seconds for a megabyte, and is tested elsewhere."""
SPANS = 20
WAIT_S = 60


@pytest.fixture(name="broker", scope="module")
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("kafka"))
    with made.run():
        yield made


class Way:
    """Two Collectors with Kafka between them, each test with topics of its own.

    Args:
        broker: Kafka.
        topic: Of both.
        directory: For queues.
    """

    def __init__(self, broker: Broker, topic: str, directory: Path) -> None:
        self.broker, self.sink = broker, OtlpSink()
        broker.make(f"{topic}_spans", f"{topic}_logs")
        self._environ = {
            "KAFKA_BROKERS": broker.address,
            "KAFKA_TOPIC": topic,
            "KAFKA_GROUP": topic,
            "QUEUE_DIRECTORY": str(directory),
        }

    @contextmanager
    def out(self, *layers: str, **environ: str) -> Iterator[Collector]:
        """Run the first, in front of Kafka."""
        with collector(*OUT, *layers, *QUICK, environ={**self._environ, **environ}, has_metrics=True) as made:
            yield made

    @contextmanager
    def back(self) -> Iterator[Collector]:
        """Run the second, behind Kafka, and the gateway's stand-in."""
        environ = {**self._environ, "OTEL_POSTHOG_GATEWAY_ENDPOINT": self.sink.url}
        with collector(*IN, *SOON_GONE, environ=environ) as made:
            yield made

    def arrived(self) -> tuple[int, int]:
        """Return how many different log records and spans the gateway got."""
        logs = {each.attributes["log.record.uid"] for each in tuple(self.sink.logs)}
        return len(logs), len({each.trace_id for each in tuple(self.sink.spans)})


@pytest.fixture(name="way")
def _way(broker: Broker, request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    return Way(broker, re.sub(r"\W", "_", request.node.name), tmp_path)


def give(made: Collector, records: int) -> None:
    """Send product events, all of which are acknowledged: so many log records, some spans, and one that is none."""
    assert made.post("/v1/logs", logs_request(*["e"] * records).SerializeToString()) == 200
    assert made.post("/v1/traces", spans_request(*["e"] * SPANS).SerializeToString()) == 200


def written(made: Collector) -> tuple[int, int]:
    """Return how many log records and spans Kafka has acknowledged: what waits in memory ends with the Collector."""
    return made.counted("otelcol_exporter_sent_log_records"), made.counted("otelcol_exporter_sent_spans")


def test_requests_larger_than_a_message_arrive_whole(way: Way) -> None:
    """One of more than the 1 MB that a broker takes, and small ones behind it."""
    large = logs_request(*["e"] * 1500, analytics__note="aa bb cc " * 80).SerializeToString()
    assert len(large) > 1_048_588
    with way.sink, way.back(), way.out(UNREDACTED) as made:
        assert made.post("/v1/logs", large) == 200
        give(made, 10)
        until(lambda: way.arrived() == (1510, SPANS), WAIT_S)
        assert sum(len(each.body) for each in way.sink.requests) > 1_048_588
        assert len([each for each in way.sink.requests if each.body]) > 2


def test_a_queue_in_front_of_kafka_outlives_the_collector(way: Way) -> None:
    """The broker is not there, the Collector with `persistent-posthog` is killed: the next one gives it all."""
    with way.out("persistent-posthog", KAFKA_BROKERS=f"127.0.0.1:{free_port()}") as made:
        for _ in range(20):
            assert made.post("/v1/logs", logs_request(*["e"] * 100).SerializeToString()) == 200
        give(made, 100)
        made.tree.end(signal.SIGKILL)
    with way.sink, way.back(), way.out("persistent-posthog"):
        until(lambda: way.arrived() == (2100, SPANS), WAIT_S)


def test_a_broker_and_a_second_collector_that_are_killed(way: Way) -> None:
    """What is in memory waits for the broker; what the gateway has not answered stays in Kafka."""
    with way.out() as made:
        with way.broker.away():
            give(made, 100)
        assert made.post("/v1/logs", logs_request(*["e"] * 100, first=100).SerializeToString()) == 200
        with way.back() as first:  # the gateway is not there
            until(lambda: "connection refused" in first.tree.out, WAIT_S)
            first.tree.end(signal.SIGKILL)
        with way.sink, way.back():
            until(lambda: way.arrived() == (200, SPANS), WAIT_S)


def test_what_the_gateway_refuses_for_good_stays_in_kafka(way: Way) -> None:
    """A token that it does not know: with the right one the Collector is started again, and all arrives."""
    way.sink.status = 401
    with way.sink, ExitStack() as first:
        second = first.enter_context(way.back())
        with way.out() as made:
            give(made, 100)
            until(lambda: "401" in second.tree.out, WAIT_S)
            until(lambda: written(made) == (100, SPANS), WAIT_S)
        second.tree.end()
        way.sink.status = 200
        with way.back():
            until(lambda: way.arrived() == (100, SPANS), WAIT_S)


def test_what_kafka_refuses_for_good_is_counted_and_said(way: Way) -> None:
    """A topic whose name cannot be: a Collector tries again only what may be taken later; no layer changes that."""
    with way.out(KAFKA_TOPIC="no topic") as made:
        give(made, 100)
        until(lambda: made.tree.out.count("Exporting failed. Dropping data") == 2, WAIT_S)
        until(lambda: made.counted("otelcol_exporter_send_failed_log_records") == 100, WAIT_S)
        assert made.counted("otelcol_exporter_send_failed_spans") == SPANS
        assert "INVALID_TOPIC" in made.tree.out
