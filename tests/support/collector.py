"""The real Collector of `collector-config/`, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from needs import needs
from ports import free_port
from processes import Tree, running

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "collector-config"
BUILD_TIMEOUT_S, READY_TIMEOUT_S = 1500, 60
# Its own metrics have a port that all Collectors of a machine would want.
_QUIET = "yaml:service::telemetry::metrics::level: none"
_COUNTING = (
    "yaml:service::telemetry::metrics: {{level: normal, readers: [{{pull: {{exporter: {{prometheus: "
    "{{host: 127.0.0.1, port: {port}}}}}}}}}]}}"
)
STACK = ("base", "privacy", "grafana", "posthog", "both")


@cache
def binary() -> str:
    """Return the path of the Collector, built the first time."""
    needs("go", "it builds the Collector")
    done = subprocess.run(
        [str(ROOT / ".ci" / "build-collector")], capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def validate(*configs: str | Path) -> str:
    """Return what `validate` has to say against `configs`; empty where nothing."""
    words = [binary(), "validate", *_arguments(configs)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return "" if done.returncode == 0 else done.stderr


class Collector:
    """A running Collector.

    Args:
        tree: Its process.
        ports: Of OTLP/HTTP, OTLP/gRPC and health.
        metrics_port: Of its own metrics; 0 where it has none.
    """

    def __init__(self, tree: Tree, ports: tuple[int, int, int], metrics_port: int = 0) -> None:
        self.tree, self.metrics_port = tree, metrics_port
        self.http_port, self.grpc_port, self.health_port = ports
        self.url = f"http://127.0.0.1:{self.http_port}"

    def post(self, path: str, body: bytes) -> int:
        """Return the status of what a request in protobuf is answered."""
        return self.answer(path, body)[0]

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of what a request in protobuf is answered."""
        headers = {"Content-Type": "application/x-protobuf"}
        request = urllib.request.Request(self.url + path, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def counted(self, name: str) -> int:
        """Return what its own metric `name` counts, of all exporters together."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(f"{name}{{"))

    def wait_until_ready(self) -> None:
        """Wait until its health says so.

        Raises:
            AssertionError: It does not, in time; with what it wrote.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self.tree.process.poll() is None:
            if self._is_healthy():
                return
            time.sleep(0.05)
        raise AssertionError(f"the Collector is not ready: {self.tree.out}")

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/", timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def collector(
    *configs: str | Path,
    ports: tuple[int, int, int] | None = None,
    environ: dict[str, str] | None = None,
    has_metrics: bool = False,
) -> Iterator[Collector]:
    """Run a Collector and wait until it is healthy.

    Args:
        configs: Names of files in `collector-config/` without `.yaml`, paths, or `yaml:` followed by a setting.
        ports: Given ones, to come back to; else free ones.
        environ: Variables of the configuration.
        has_metrics: Whether what it counts of itself can be asked for.
    """
    metrics_port = free_port() if has_metrics else 0
    own = _COUNTING.format(port=metrics_port) if has_metrics else _QUIET
    ports = ports or (free_port(), free_port(), free_port())
    addresses = [f"127.0.0.1:{port}" for port in ports]
    names = ("OTLP_HTTP_ENDPOINT", "OTLP_GRPC_ENDPOINT", "HEALTH_ENDPOINT")
    variables = {**os.environ, **dict(zip(names, addresses, strict=True)), **(environ or {})}
    with running(binary(), *_arguments((*configs, own)), environ=variables) as tree:
        made = Collector(tree, ports, metrics_port)
        made.wait_until_ready()
        yield made


def _arguments(configs: tuple[str | Path, ...]) -> list[str]:
    words: list[str] = []
    for each in configs:
        is_name = isinstance(each, str) and not each.startswith("yaml:")
        words += ["--config", str(CONFIG / f"{each}.yaml") if is_name else str(each)]
    return words
