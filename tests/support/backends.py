"""Real backends of the operational side, built once by `.ci/build-backend`: Prometheus and Jaeger, asked over HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from needs import needs
from ports import free_port
from processes import running

ROOT = Path(__file__).resolve().parents[2]
BUILD_TIMEOUT_S, READY_TIMEOUT_S, SHOWN_TIMEOUT_S = 3600, 90, 60


def program(name: str) -> str:
    """Return the path of `prometheus`, `jaeger` or `dashboard-schema`, built the first time."""
    needs("go", f"it builds {name}")
    command = [str(ROOT / ".ci" / "build-backend"), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def cached(name: str) -> None:
    """Skip the test where a program is not built yet: that takes minutes, and is what `make test-backends` does."""
    module = ROOT / "tests" / "backends" / name
    files = [module / each for each in ("go.mod", "go.sum", "main.go")]
    content = [each.read_bytes() for each in files if each.exists()]
    key = hashlib.sha256(b"".join(content)).hexdigest()[:12]
    if not (Path.home() / ".cache" / "otel-posthog" / "backends" / key / name).exists():
        pytest.skip(f"{name} is not built on this machine: `make test-backends` does it")


def get(url: str, **query: str) -> Any:
    """Return what an HTTP API answers in JSON."""
    with urllib.request.urlopen(f"{url}?{urlencode(query)}", timeout=30) as answer:
        return json.load(answer)


def until(answer: Callable[[], Any], timeout_s: float = SHOWN_TIMEOUT_S) -> Any:
    """Return the first answer that is not empty: data shows a moment after it was taken.

    Raises:
        AssertionError: There was none, in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = answer()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError("nothing showed in time")


@contextmanager
def prometheus(folder: Path, settings: str = "global: {scrape_interval: 1h}\n") -> Iterator[str]:
    """Run Prometheus with its OTLP receiver and these settings, and yield where it is."""
    (folder / "prometheus.yml").write_text(settings)
    address = f"127.0.0.1:{free_port()}"
    words = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
        "--web.enable-otlp-receiver",
    ]
    with running(*words, environ=dict(os.environ), cwd=folder):
        _wait_for(f"http://{address}/-/ready")
        yield f"http://{address}"


_JAEGER = """
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: {{traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}}}
  telemetry: {{metrics: {{level: none}}}}
extensions:
  jaeger_storage: {{backends: {{memory: {{memory: {{max_traces: 10000}}}}}}}}
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{grpc}"}}
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}
exporters: {{jaeger_storage_exporter: {{trace_storage: memory}}}}
"""


@dataclass(frozen=True)
class Jaeger:
    """A running Jaeger.

    Attributes:
        otlp_url: Where it takes OTLP over HTTP.
        query_url: Where it is asked.
    """

    otlp_url: str
    query_url: str

    def traces(self, service: str) -> list[Any]:
        """Return all traces of a service."""
        return list(get(f"{self.query_url}/api/traces", service=service, limit="10000")["data"])


@contextmanager
def jaeger(folder: Path) -> Iterator[Jaeger]:
    """Run Jaeger as one process that keeps traces in memory, and yield where it is."""
    otlp, query = free_port(), free_port()
    (folder / "jaeger.yaml").write_text(_JAEGER.format(otlp=otlp, query=query, grpc=free_port()))
    with running(program("jaeger"), "--config", str(folder / "jaeger.yaml"), environ=dict(os.environ), cwd=folder):
        made = Jaeger(f"http://127.0.0.1:{otlp}", f"http://127.0.0.1:{query}")
        _wait_for(f"{made.query_url}/api/services")
        yield made


def _wait_for(url: str) -> None:
    until(lambda: _is_well(url), READY_TIMEOUT_S)


def _is_well(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status) == 200
    except OSError:
        return False
