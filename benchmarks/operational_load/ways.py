"""The ways that are compared, each as processes in front of a backend: a gateway, and three Collectors.

They have what the layers of `collector-config/` have, without tail sampling and span metrics, which wait, and cost the
same in all of them: what is measured is the filter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from benchmarks.gateway_load import free_port, pinned, process, wait_until_ready

_ROOT = Path(__file__).resolve().parents[2]
_CONFIG = _ROOT / "collector-config"
_BUILD_S = 1500
Parts = Mapping[str, int]
"""The processes of a way by their names."""


@contextmanager
def _gateway(port: int, backend_port: int) -> Iterator[Parts]:
    words = [str(Path(sys.executable).with_name("otel-posthog")), "gateway", "--operational"]
    words += ["--backend", f"http://127.0.0.1:{backend_port}", "--port", str(port), "--grpc-port", "0"]
    with process(pinned(words, "0"), dict(os.environ)) as started:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz")
        yield {"gateway": started.pid}


@contextmanager
def _collector(port: int, backend_port: int, *layers: str) -> Iterator[Parts]:
    backend, health = f"http://127.0.0.1:{backend_port}", f"127.0.0.1:{free_port()}"
    endpoints = ("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT", "OTEL_POSTHOG_OPERATIONAL_ENDPOINT")
    addresses = {
        **dict.fromkeys(endpoints, backend),
        "OTLP_HTTP_ENDPOINT": f"127.0.0.1:{port}",
        "OTLP_GRPC_ENDPOINT": f"127.0.0.1:{free_port()}",
        "HEALTH_ENDPOINT": health,
        "OTEL_POSTHOG_UUID_KEY": "k" * 32,
    }
    words = [_binary()]
    for layer in ("base", *layers, *_WITHOUT_SAMPLING):
        words += ["--config", layer if layer.startswith("yaml:") else str(_CONFIG / f"{layer}.yaml")]
    with process(pinned(words, "0"), {**os.environ, **addresses}) as started:
        wait_until_ready(f"http://{health}/")
        yield {"Collector": started.pid}


def _set(path: str, value: object) -> str:
    return f"yaml:service::{path}: {json.dumps(value)}"


_WITHOUT_SAMPLING = (
    _set("telemetry::metrics::level", "none"),
    _set("pipelines::traces/operational::exporters", ["forward/sampled"]),
    _set("pipelines::traces/sampled::processors", []),
    _set("pipelines::metrics/operational::receivers", ["forward/operational"]),
)
_UNFILTERED = tuple(
    _set(f"pipelines::{signal}/operational::processors", []) for signal in ("traces", "logs", "metrics")
)


@contextmanager
def _stock(port: int, backend_port: int) -> Iterator[Parts]:
    with _collector(port, backend_port, "grafana", *_UNFILTERED) as parts:
        yield parts


@contextmanager
def _coarse(port: int, backend_port: int) -> Iterator[Parts]:
    with _collector(port, backend_port, "privacy", "grafana") as parts:
        yield parts


@contextmanager
def _exact(port: int, backend_port: int) -> Iterator[Parts]:
    with ExitStack() as both:
        behind = free_port()
        gateway = both.enter_context(_gateway(behind, backend_port))
        yield {**both.enter_context(_collector(port, behind, "grafana", "exact")), **gateway}


def _binary() -> str:
    """Return the path of the Collector, built the first time."""
    words = [str(_ROOT / ".ci" / "build-collector")]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=_BUILD_S).stdout.strip()


WAYS: Mapping[str, Callable[[int, int], AbstractContextManager[Parts]]] = {
    "gateway alone": _gateway,
    "Collector, no filter": _stock,
    "Collector, coarse": _coarse,
    "Collector and gateway": _exact,
}
