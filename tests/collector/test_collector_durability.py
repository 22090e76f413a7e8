"""A real Collector in front of a real gateway: whatever is killed, what was acknowledged arrives once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backends import until
from collector import Collector, collector
from gateway import Gateway, gateway, logs_request
from ports import free_port

from otel_posthog.testing import FakePostHog

LAYERS = ("base", "privacy", "posthog", "persistent-posthog")
QUICK = (
    "yaml:exporters::otlp_http/gateway::sending_queue::batch::flush_timeout: 50ms",
    "yaml:exporters::otlp_http/gateway::retry_on_failure::initial_interval: 100ms",
    "yaml:exporters::otlp_http/gateway::retry_on_failure::max_interval: 500ms",
)
BATCH = 20
WAIT_S = 60


def ports() -> tuple[int, int, int]:
    """Return free ports, for a Collector that comes back to them."""
    return free_port(), free_port(), free_port()


@contextmanager
def relay(directory: Path, gateway_port: int, where: tuple[int, int, int] | None = None) -> Iterator[Collector]:
    """Run a Collector with queues on disk in front of the gateway's port."""
    environ = {
        "QUEUE_DIRECTORY": str(directory / "queues"),
        "OTEL_POSTHOG_GATEWAY_ENDPOINT": f"http://127.0.0.1:{gateway_port}",
    }
    with collector(*LAYERS, *QUICK, ports=where, environ=environ) as made:
        yield made


def send(made: Collector | Gateway, first: int, count: int) -> list[int]:
    """Send events in batches; return the numbers of those that were acknowledged."""
    acknowledged: list[int] = []
    for number in range(first, first + count, BATCH):
        body = logs_request(*["e"] * BATCH, first=number).SerializeToString()
        try:
            answer = made.post("/v1/logs", body)
        except OSError:
            break
        if (answer if isinstance(answer, int) else answer[0]) == 200:
            acknowledged += range(number, number + BATCH)
    return acknowledged


def arrived(posthog: FakePostHog, count: int) -> None:
    """Wait for `count` events, each of another time; PostHog keeps one of each uuid."""
    assert posthog.wait_until(lambda: len(posthog.unique_events) >= count, WAIT_S), len(posthog.unique_events)
    assert len(posthog.unique_events) == len({each.timestamp for each in posthog.unique_events}) == count


def test_a_collector_that_is_killed_while_the_gateway_is_down(tmp_path: Path) -> None:
    """Both come back, and every event that the Collector acknowledged arrives, one of each uuid."""
    port, where = free_port(), ports()
    with FakePostHog() as posthog:
        with relay(tmp_path, port, where) as made:
            acknowledged = send(made, 0, 400)
            made.tree.end(signal.SIGKILL)
        assert len(acknowledged) == 400
        with (
            gateway(posthog=posthog.url, directory=tmp_path, http_port=port),
            relay(tmp_path, port, where),
        ):
            arrived(posthog, 400)


def test_a_gateway_that_is_killed_under_load(tmp_path: Path) -> None:
    """The Collector goes on taking, and gives the next gateway what the first had not answered."""
    port, acknowledged = free_port(), list[int]()
    with FakePostHog() as posthog, relay(tmp_path, port) as made:
        with gateway(posthog=posthog.url, directory=tmp_path, http_port=port) as first:
            thread = threading.Thread(target=lambda: acknowledged.extend(send(made, 0, 2000)))
            thread.start()
            posthog.wait_for(100)
            first.tree.end(signal.SIGKILL)
        with gateway(posthog=posthog.url, directory=tmp_path, http_port=port):
            thread.join(WAIT_S)
            assert len(acknowledged) == 2000
            arrived(posthog, 2000)


def test_a_gateway_whose_spool_is_full(tmp_path: Path) -> None:
    """It answers 503, the Collector keeps the events, and gives them once PostHog is back and there is room."""
    (tmp_path / "policy.yaml").write_text(
        "delivery: {max_spool_bytes: 1048576, flush_interval_s: 0.05, retry_initial_s: 0.1, retry_max_s: 0.5}\n"
    )
    options = ("--policy", str(tmp_path / "policy.yaml"))
    port, posthog_port, count = free_port(), free_port(), 6000
    with (
        gateway(*options, posthog=f"http://127.0.0.1:{posthog_port}", directory=tmp_path, http_port=port) as behind,
        relay(tmp_path, port) as made,
    ):
        assert len(send(made, 0, count)) == count
        until(lambda: behind.get("/readyz")[0] == 503)
        with FakePostHog(port=posthog_port) as posthog:
            arrived(posthog, count)
