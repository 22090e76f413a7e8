"""Bursts through a real Collector: what it acknowledged arrives, and its memory stays bounded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from collector import STACK, Collector, collector
from otlp_bursts import logs, metrics, traces

from otel_posthog.testing import OtlpSink

BURST, REQUEST = 20_000, 100
MORE = 3 * BURST
WAIT_S = 60
QUICK = {"SAMPLING_DECISION_WAIT": "1s"}
QUICK_RETRY = (
    "yaml:exporters::otlp_http/tempo::retry_on_failure::initial_interval: 100ms",
    "yaml:exporters::otlp_http/tempo::retry_on_failure::max_interval: 500ms",
)
RETRYABLE = (429, 503)


class Backends:
    """What stands behind a Collector in these tests: one sink for everything, and how much of it arrived."""

    def __init__(self, sink: OtlpSink) -> None:
        self.sink = sink

    @property
    def environ(self) -> dict[str, str]:
        """The Collector's environment."""
        names = ("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT", "OTEL_POSTHOG_GATEWAY_ENDPOINT")
        return {**dict.fromkeys(names, self.sink.url), **QUICK}

    def wait_for(self, path: str, count: int) -> int:
        """Return how many items of a signal have arrived, once there are `count` or the time is up."""
        self.sink.wait_until(lambda: self.count(path) >= count, WAIT_S)
        return self.count(path)

    def count(self, path: str) -> int:
        """Return how many different items arrived of a signal."""
        if path == "/v1/traces":
            return len({each.trace_id for each in list(self.sink.spans)})
        if path == "/v1/logs":
            return len(self.sink.logs)
        return sum(len(each.points) for each in list(self.sink.metrics) if each.name == "depth")


def burst(made: Collector, path: str, body: Callable[[int, int], bytes], count: int, *, answers: list[int]) -> None:
    """Send `count` items as fast as they go, each request again while the answer says so; add to `answers`."""
    bodies = [body(first, REQUEST) for first in range(0, count, REQUEST)]

    def send(each: bytes) -> None:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            status = made.post(path, each)
            answers.append(status)
            if status not in RETRYABLE:
                return
            time.sleep(0.5)

    with ThreadPoolExecutor(8) as senders:
        list(senders.map(send, bodies))


def most_memory_mib(made: Collector) -> int:
    """Return how much memory the Collector had at most."""
    status = Path(f"/proc/{made.tree.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


@pytest.fixture(name="backends")
def _backends() -> Iterator[Backends]:
    with OtlpSink() as sink:
        yield Backends(sink)


KINDS = [("/v1/traces", traces), ("/v1/logs", logs), ("/v1/metrics", metrics)]


@pytest.mark.parametrize("layers", [STACK, (*STACK, "persistent-grafana")], ids="+".join)
def test_a_burst_arrives_whole(layers: tuple[str, ...], backends: Backends, tmp_path: Path) -> None:
    """20,000 traces, log records and points at once: sampling hands each trace on as a request of its own."""
    environ = {**backends.environ, "QUEUE_DIRECTORY": str(tmp_path)}
    with collector(*layers, environ=environ) as made:
        for path, body in KINDS:
            answers: list[int] = []
            burst(made, path, body, BURST, answers=answers)
            assert answers.count(200) == BURST // REQUEST
            assert backends.wait_for(path, BURST) == BURST, made.tree.out[-2000:]
        assert most_memory_mib(made) < 512


def test_a_burst_that_memory_does_not_hold_while_nothing_can_be_sent(backends: Backends) -> None:
    """The door refuses before any queue is full, senders come again, and all that was taken arrives in the end."""
    environ = {**backends.environ, "MEMORY_LIMIT_MIB": "48", "MEMORY_SPIKE_LIMIT_MIB": "16"}
    backends.sink.status = 503
    with collector(*STACK, *QUICK_RETRY, environ=environ) as made:
        answers: list[int] = []
        with ThreadPoolExecutor(1) as sender:
            sending = sender.submit(burst, made, "/v1/traces", traces, MORE, answers=answers)
            assert backends.sink.wait_until(lambda: bool(set(answers) & set(RETRYABLE)), WAIT_S), len(answers)
            assert 0 < answers.count(200) < MORE // REQUEST
            backends.sink.status = 200
            sending.result()
        assert set(answers) <= {200, *RETRYABLE}
        assert answers.count(200) == MORE // REQUEST
        assert backends.wait_for("/v1/traces", MORE) == MORE, made.tree.out[-2000:]
        assert most_memory_mib(made) < 512
