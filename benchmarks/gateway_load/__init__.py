"""The benchmark `gateway_load`: how many events a second one gateway process on one core takes, and what two cost.

The gateway has one core for itself; the load and the server in PostHog's place share the others. Product events come in
as OTLP/HTTP in protobuf, go through filters and spool, and out to that server, which answers as Capture V1 does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.gateway_load.traffic import JSON, PROTOBUF
from benchmarks.report import Result, Say, table

NAME = "gateway_load"

CONNECTIONS, READY_S, DELIVERED_S = 8, 60, 300
GOAL_RATIO = 1.1
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        workers: How many processes.
        encoding: Of the requests: `protobuf` or `json`.
        events: How many were sent and acknowledged.
        taken_s: Until the last was acknowledged.
        delivered_s: Until the server in PostHog's place had the last.
        cpu_s: Of all processes of the gateway, until then.
        times_s: From each request to its answer.
    """

    workers: int
    encoding: str
    events: int
    taken_s: float
    delivered_s: float
    cpu_s: float
    times_s: list[float]

    @property
    def cpu_us(self) -> float:
        """The CPU time of one event, in microseconds."""
        return self.cpu_s / self.events * 1e6


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument("--batches", type=int, default=300, metavar="N", help="requests of a run (default: 300)")
    group.add_argument("--batch-events", type=int, default=500, metavar="N", help="events of a request (default: 500)")


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Run one worker, two, two, one, so that a drift of the machine falls on both; then one with JSON."""
    runs: list[Run] = []
    for workers, encoding in ((1, PROTOBUF), (2, PROTOBUF), (2, PROTOBUF), (1, PROTOBUF), (1, JSON)):
        runs.append(_measured(workers, parsed.batches, parsed.batch_events, encoding))
        taken = runs[-1].events / runs[-1].taken_s
        say(f"gateway_load: {workers} workers, {encoding}: {taken:,.0f} events/s taken")
    return _result(runs)


def _measured(workers: int, batches: int, batch_events: int, encoding: str) -> Run:
    sink_port, port = free_port(), free_port()
    load = [sys.executable, "-m", "benchmarks.gateway_load.traffic", "send", str(port)]
    load += [str(batches), str(batch_events), str(CONNECTIONS), encoding]
    sink = [sys.executable, "-m", "benchmarks.gateway_load.traffic", "receive", str(sink_port)]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        process(pinned(sink, "1")),
        process(
            pinned(gateway_command(port, workers), "0" if workers == 1 else "0,1"), environ_of(sink_port, folder)
        ) as gateway,
    ):
        wait_until_ready(f"http://127.0.0.1:{port}/readyz")
        before = cpu_of(gateway.pid)
        done = subprocess.run(pinned(load, "1"), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        events = told["accepted"] * batch_events
        wait_until_counted(sink_port, events, DELIVERED_S)
        delivered_s = time.time() - told["began"]
        cpu_s = cpu_of(gateway.pid) - before
        return Run(workers, encoding, events, told["spent_s"], delivered_s, cpu_s, told["times_s"])


def gateway_command(port: int, workers: int) -> list[str]:
    """Return the command of a gateway."""
    command = str(Path(sys.executable).with_name("otel-posthog"))
    return [command, "gateway", "--port", str(port), "--grpc-port", "0", "--workers", str(workers)]


def environ_of(sink_port: int, folder: str) -> dict[str, str]:
    """Return its environment: what it keeps is in `folder`, and PostHog is on this machine."""
    return {
        **os.environ,
        "POSTHOG_API_KEY": "phc_bench",
        "POSTHOG_HOST": f"http://127.0.0.1:{sink_port}",
        "OTEL_POSTHOG_STATE_DIR": folder,
        "OTEL_POSTHOG_IDENTITY": "identified",
    }


def pinned(words: list[str], cores: str) -> list[str]:
    """Return the command `words` pinned to these cores, if the machine has them and `taskset`."""
    has_them = shutil.which("taskset") and (os.cpu_count() or 1) > 1
    return ["taskset", "-c", cores, *words] if has_them else words


@contextmanager
def process(
    words: list[str], environ: dict[str, str] | None = None, log: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and end it at the end.

    Args:
        words: Program and arguments.
        environ: Its environment; this one by default.
        log: Where it writes; nowhere by default.
    """
    out = log or subprocess.DEVNULL
    with subprocess.Popen(words, env=environ, stdout=out, stderr=out) as started:
        try:
            yield started
        finally:
            started.terminate()
            started.wait(30)


def free_port() -> int:
    """Return a port on which nobody listens just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until_ready(url: str) -> None:
    """Wait until it takes events.

    Raises:
        TimeoutError: It does not.
    """
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if _is_ready(url):
            return
        time.sleep(0.1)
    raise TimeoutError("the gateway is not ready")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def wait_until_counted(port: int, count: int, timeout_s: float) -> None:
    """Wait until the server in the place of PostHog or of a backend has so many items.

    Raises:
        TimeoutError: It had not, in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            if json.load(answer) >= count:
                return
        time.sleep(0.05)
    raise TimeoutError(f"not all of {count} items arrived")


def cpu_of(pid: int) -> float:
    """Return the CPU time of a process and its living descendants."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        at = int(stat.parent.name)
        parents[at], spent[at] = int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    family = {pid}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(spent.get(each, 0.0) for each in family)


def _result(runs: list[Run]) -> Result:
    head = ("workers", "encoding", "taken/s", "delivered/s", "CPU us / event", "p50 ms", "p99 ms")
    rows = [head, *(_row(each) for each in runs)]
    of_one = [each for each in runs if each.workers == 1 and each.encoding == PROTOBUF]
    one = statistics.mean(each.cpu_us for each in of_one)
    two = statistics.mean(each.cpu_us for each in runs if each.workers == 2)
    per_s = statistics.mean(each.events / each.delivered_s for each in of_one)
    json_per_s = statistics.mean(each.events / each.delivered_s for each in runs if each.encoding == JSON)
    lines = [
        table(rows),
        f"one process on one core takes and delivers {per_s:,.0f} events/s in protobuf, {json_per_s:,.0f} in JSON",
        f"an event costs {two / one:.2f} times as much CPU with two workers (asked for: within {GOAL_RATIO:.2f})",
    ]
    figures = {
        "events_per_s": per_s,
        "json_events_per_s": json_per_s,
        "cpu_us": one,
        "cpu_us_of_two": two,
        "ratio": two / one,
    }
    return Result("\n".join(lines), figures)


def _row(run: Run) -> tuple[str, ...]:
    times = sorted(run.times_s)
    return (
        str(run.workers),
        run.encoding,
        f"{run.events / run.taken_s:,.0f}",
        f"{run.events / run.delivered_s:,.0f}",
        f"{run.cpu_us:.1f}",
        f"{times[len(times) // 2] * 1000:.1f}",
        f"{times[int(len(times) * 0.99)] * 1000:.1f}",
    )
