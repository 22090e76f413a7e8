"""The benchmark `operational_load`: what one process of `gateway --operational` on one core filters of each signal.

The gateway has one core for itself; the load and the backend share the others. OTLP/HTTP in protobuf comes in, and goes
out to a server that costs little.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway_load import CONNECTIONS, cpu_of, free_port, pinned, process, wait_until_ready
from benchmarks.operational_load.traffic import SIGNALS
from benchmarks.report import Result, Say, table

NAME = "operational_load"
ON_DEMAND = True
"""Only run where it is asked for."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        signal: `traces`, `logs` or `metrics`.
        items: How many the backend has acknowledged.
        spent_s: Until the last was.
        cpu_s: Of the gateway.
        times_s: From each request to its answer.
    """

    signal: str
    items: int
    spent_s: float
    cpu_s: float
    times_s: list[float]


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument("--requests-a-run", type=int, default=100, metavar="N", help="of each signal (default: 100)")
    group.add_argument("--request-items", type=int, default=500, metavar="N", help="of a request (default: 500)")


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Run each signal once."""
    runs: list[Run] = []
    for signal in SIGNALS:
        runs.append(_measured(signal, parsed.requests_a_run, parsed.request_items))
        say(f"operational_load: {signal}: {runs[-1].items / runs[-1].spent_s:,.0f} items/s")
    head = ("signal", "items/s", "CPU us / item", "p50 ms", "p99 ms")
    figures = {each.signal: {"items_per_s": each.items / each.spent_s, "cpu_us": _cpu_us(each)} for each in runs}
    return Result(table([head, *map(_row, runs)]), figures)


def _measured(signal: str, requests: int, items: int) -> Run:
    backend_port, port = free_port(), free_port()
    backend = [sys.executable, "-m", "benchmarks.gateway_load.traffic", "receive", str(backend_port)]
    gateway = [str(Path(sys.executable).with_name("otel-posthog")), "gateway", "--operational"]
    gateway += ["--backend", f"http://127.0.0.1:{backend_port}", "--port", str(port), "--grpc-port", "0"]
    load = [sys.executable, "-m", "benchmarks.operational_load.traffic", str(port), signal]
    load += [str(requests), str(items), str(CONNECTIONS)]
    with process(pinned(backend, "1")), process(pinned(gateway, "0"), dict(os.environ)) as started:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz")
        before = cpu_of(started.pid)
        told = json.loads(subprocess.run(pinned(load, "1"), capture_output=True, text=True, check=True).stdout)
        spent = cpu_of(started.pid) - before
        return Run(signal, told["accepted"] * items, told["spent_s"], spent, told["times_s"])


def _cpu_us(run: Run) -> float:
    return run.cpu_s / run.items * 1e6


def _row(run: Run) -> tuple[str, ...]:
    times = sorted(run.times_s)
    return (
        run.signal,
        f"{run.items / run.spent_s:,.0f}",
        f"{_cpu_us(run):.1f}",
        f"{times[len(times) // 2] * 1000:.1f}",
        f"{times[int(len(times) * 0.99)] * 1000:.1f}",
    )
