"""The benchmark `operational_load`: what filtering operational telemetry costs, one way beside the other.

`gateway --operational` alone, a Collector without a filter, one with the compiled layer, and one with the gateway
behind it, on one core for all their processes; the load and the backend share the others. OTLP/HTTP in protobuf comes
in, and goes out to a server that costs little. A run is over when the backend has all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.gateway_load import CONNECTIONS, cpu_of, free_port, pinned, process, wait_until_counted
from benchmarks.operational_load.traffic import SIGNALS
from benchmarks.operational_load.ways import WAYS
from benchmarks.report import Result, Say, table

NAME = "operational_load"
ON_DEMAND = True
"""Only run where it is asked for."""
_ARRIVED_S = 120
_CPU_TICK_S = 1 / os.sysconf("SC_CLK_TCK")  # a run of a few items takes none


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        way: One of `WAYS`.
        signal: `traces`, `logs` or `metrics`.
        items: How many the backend has.
        spent_s: Until it had the last.
        cpu_s: Of each process of the way.
        times_s: From each request to its answer.
    """

    way: str
    signal: str
    items: int
    spent_s: float
    cpu_s: dict[str, float]
    times_s: list[float]

    @property
    def cpu_us(self) -> dict[str, float]:
        """The CPU time of an item in each process, in microseconds."""
        return {name: spent / self.items * 1e6 for name, spent in self.cpu_s.items()}

    @property
    def core_per_s(self) -> float:
        """How many items a second of a core is enough for."""
        return self.items / max(sum(self.cpu_s.values()), _CPU_TICK_S)


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument("--requests-a-run", type=int, default=100, metavar="N", help="of each signal (default: 100)")
    group.add_argument("--request-items", type=int, default=500, metavar="N", help="of a request (default: 500)")
    group.add_argument("--way", choices=list(WAYS), action="append", help="this one only; may be given again")


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Run each way once for each signal."""
    runs: list[Run] = []
    for signal in SIGNALS:
        for way in parsed.way or WAYS:
            runs.append(_measured(way, signal, parsed.requests_a_run, parsed.request_items))
            say(f"operational_load: {way}, {signal}: {runs[-1].core_per_s:,.0f} items for a second of a core")
    head = ("way", "signal", "items/s", "items/core s", "CPU us / item", "p50 ms", "p99 ms")
    figures: dict[str, dict[str, object]] = {}
    for each in runs:
        made = {"items_per_s": each.items / each.spent_s, "items_per_core_s": each.core_per_s, "cpu_us": each.cpu_us}
        figures.setdefault(each.way, {})[each.signal] = made
    return Result(table([head, *map(_row, runs)]), figures)


def _measured(way: str, signal: str, requests: int, items: int) -> Run:
    backend_port, port = free_port(), free_port()
    traffic = [sys.executable, "-m", "benchmarks.operational_load.traffic"]
    backend = [*traffic, "receive", str(backend_port)]
    load = [*traffic, "send", str(port), signal, str(requests), str(items), str(CONNECTIONS)]
    with process(pinned(backend, "1")), WAYS[way](port, backend_port) as parts:
        before = {name: cpu_of(pid) for name, pid in parts.items()}
        told = json.loads(subprocess.run(pinned(load, "1"), capture_output=True, text=True, check=True).stdout)
        wait_until_counted(backend_port, told["accepted"] * items, _ARRIVED_S)
        spent_s = time.time() - told["began"]
        cpu_s = {name: cpu_of(pid) - before[name] for name, pid in parts.items()}
        return Run(way, signal, told["accepted"] * items, spent_s, cpu_s, told["times_s"])


def _row(run: Run) -> tuple[str, ...]:
    times = sorted(run.times_s)
    return (
        run.way,
        run.signal,
        f"{run.items / run.spent_s:,.0f}",
        f"{run.core_per_s:,.0f}",
        ", ".join(f"{name} {spent:.1f}" for name, spent in run.cpu_us.items()),
        f"{times[len(times) // 2] * 1000:.1f}",
        f"{times[int(len(times) * 0.99)] * 1000:.1f}",
    )
