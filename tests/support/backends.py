"""Real backends of the operational side, built once by `.ci/build-backend`: Prometheus and Loki, asked over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from needs import needs
from ports import free_port
from processes import running

ROOT = Path(__file__).resolve().parents[2]
BUILD_TIMEOUT_S, READY_TIMEOUT_S, SHOWN_TIMEOUT_S = 3600, 90, 60


def program(name: str) -> str:
    """Return the path of `prometheus` or `loki`, built the first time."""
    needs("go", f"it builds {name}")
    command = [str(ROOT / ".ci" / "build-backend"), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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
def prometheus(folder: Path) -> Iterator[str]:
    """Run Prometheus with its OTLP receiver, and yield where it is."""
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
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


_LOKI = """
auth_enabled: false
analytics: {{reporting_enabled: false}}
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {http}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {grpc}
common:
  instance_addr: 127.0.0.1
  path_prefix: {folder}
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
  storage: {{filesystem: {{chunks_directory: {folder}/chunks, rules_directory: {folder}/rules}}}}
schema_config:
  configs:
    - {{from: "2024-01-01", store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}
limits_config: {{allow_structured_metadata: true}}
"""


@contextmanager
def loki(folder: Path) -> Iterator[str]:
    """Run Loki as one process, and yield where it is."""
    port = free_port()
    (folder / "loki.yaml").write_text(_LOKI.format(folder=folder, http=port, grpc=free_port()))
    with running(program("loki"), f"-config.file={folder / 'loki.yaml'}", environ=dict(os.environ), cwd=folder):
        _wait_for(f"http://127.0.0.1:{port}/ready")
        yield f"http://127.0.0.1:{port}"


def _wait_for(url: str) -> None:
    until(lambda: _is_well(url), READY_TIMEOUT_S)


def _is_well(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status) == 200
    except OSError:
        return False
