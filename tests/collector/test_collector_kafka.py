"""Product events through a real Kafka broker: what the first Collector acknowledged, the second gives the gateway."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from backends import until
from collector import Collector, collector
from gateway import logs_request
from kafka import Broker

from otel_posthog.testing import OtlpSink

OUT = ("base", "privacy", "posthog", "kafka-out")
IN = ("base", "privacy", "posthog", "kafka-in")
QUICK = (
    "yaml:exporters::kafka/product::retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}",
    "yaml:exporters::kafka/product::sending_queue::batch::flush_timeout: 50ms",
)
SOON_GONE = ("yaml:receivers::kafka/product: {session_timeout: 1s, heartbeat_interval: 200ms}",)
WAIT_S = 60


@pytest.fixture(name="broker", scope="module")
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Broker:
    return Broker(tmp_path_factory.mktemp("kafka"))


class Way:
    """Two Collectors with Kafka between them, each test with topics of its own.

    Args:
        broker: Kafka.
        topic: Of both.
        directory: For queues.
    """

    def __init__(self, broker: Broker, topic: str, directory: Path) -> None:
        self.broker, self.sink = broker, OtlpSink()
        self._environ = {
            "KAFKA_BROKERS": broker.address,
            "KAFKA_TOPIC": topic,
            "KAFKA_GROUP": topic,
            "QUEUE_DIRECTORY": str(directory),
        }

    @contextmanager
    def out(self, *layers: str) -> Iterator[Collector]:
        """Run the first, in front of Kafka."""
        with collector(*OUT, *layers, *QUICK, environ=self._environ) as made:
            yield made

    @contextmanager
    def back(self) -> Iterator[Collector]:
        """Run the second, behind Kafka, and the gateway's stand-in."""
        environ = {**self._environ, "OTEL_POSTHOG_GATEWAY_ENDPOINT": self.sink.url}
        with collector(*IN, *SOON_GONE, environ=environ) as made:
            yield made

    def events(self) -> int:
        """Return how many different events the gateway got."""
        return len({each.attributes["log.record.uid"] for each in self.sink.logs})


@pytest.fixture(name="way")
def _way(broker: Broker, request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    return Way(broker, re.sub(r"\W", "_", request.node.name), tmp_path)


def request(count: int) -> bytes:
    """Return a request of `count` product events; each has some 80 bytes when it has got its uid."""
    return logs_request(*["e"] * count).SerializeToString()


def test_requests_larger_than_a_message_arrive_whole(way: Way) -> None:
    """One of more than the 1 MB that a broker takes, and small ones behind it."""
    with way.broker.run(), way.sink, way.back(), way.out() as made:
        for count in (15_000, 10, 10):
            assert made.post("/v1/logs", request(count)) == 200
        until(lambda: way.events() == 15_020, WAIT_S)
        assert sum(len(each.body) for each in way.sink.requests) > 1_048_588
        assert len([each for each in way.sink.requests if each.body]) > 1


def test_a_queue_in_front_of_kafka_outlives_the_collector(way: Way) -> None:
    """The broker is away, the Collector with `persistent-posthog` is killed: the next one gives it all."""
    with way.out("persistent-posthog") as made:
        for _ in range(20):
            assert made.post("/v1/logs", request(100)) == 200
        made.tree.end(signal.SIGKILL)
    with way.broker.run(), way.sink, way.back(), way.out("persistent-posthog"):
        until(lambda: way.events() == 2000, WAIT_S)


def test_a_broker_that_is_away_and_a_second_collector_that_is_killed(way: Way) -> None:
    """What is in memory waits for the broker; what the gateway has not answered stays in Kafka."""
    with way.out() as made:
        assert made.post("/v1/logs", request(100)) == 200
        with way.broker.run():
            assert made.post("/v1/logs", request(100)) == 200
            with way.back() as first:  # the gateway is not there
                time.sleep(3)
                first.tree.end(signal.SIGKILL)
            with way.sink, way.back():
                until(lambda: way.events() == 200, WAIT_S)


def test_what_the_gateway_refuses_for_good_stays_in_kafka(way: Way) -> None:
    """A token that it does not know: with the right one the Collector is started again, and all arrives."""
    way.sink.status = 401
    with way.broker.run(), way.sink, ExitStack() as first:
        second = first.enter_context(way.back())
        with way.out() as made:
            assert made.post("/v1/logs", request(100)) == 200
            until(lambda: "401" in second.tree.out, WAIT_S)
        second.tree.end()
        way.sink.status = 200
        with way.back():
            until(lambda: way.events() == 100, WAIT_S)
