"""The benchmark `soak`: whether memory, threads, file handles and disk grow while events flow for a long time.

One program emits at a steady rate, the server fails now and then, and what the program holds is read once a second from
outside. A slope is made over the second half of the run, so that what a start needs is not taken for growth.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from benchmarks.faults.driver import Load
from benchmarks.faults.stage import Stage
from benchmarks.report import Result, Say, count, table
from otel_posthog.testing import FakePostHog, Fault

NAME, ON_DEMAND = "soak", True
MINUTES, PER_SECOND = 60, 1000
# Samples between two faults: a run in which nothing fails proves little.
FAULT_EVERY = 20
# What a run may grow in a minute without a leak: less than one that left something of each event behind.
ALLOWED = {"memory_kib": 512.0, "threads": 0.1, "handles": 0.2, "disk_kib": 512.0}

HEAD = """\
soak: {minutes:g} minutes at {rate}/s, a failing request every {every} s
growth is the slope over the second half of the run; allowed is what a run without a leak may show
emitted {emitted:,}, arrived {arrived:,}
"""


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments of this benchmark."""
    group.description = "runs only when asked for by --only soak"
    group.add_argument("--minutes", type=float, default=MINUTES, metavar="N", help=f"how long (default: {MINUTES})")
    group.add_argument("--soak-rate", type=count, default=PER_SECOND, metavar="N", help="events a second")


def run(arguments: argparse.Namespace, say: Say) -> Result:
    """Run for the time that was asked for."""
    minutes, rate = arguments.minutes, arguments.soak_rate
    samples, emitted, arrived = soak(minutes * 60, rate, say)
    grown = {name: per_minute(samples, name) for name in NAMES}
    head = HEAD.format(minutes=minutes, rate=rate, every=FAULT_EVERY, emitted=emitted, arrived=arrived)
    rows: list[Sequence[str]] = [("", "first", "last", "greatest", "grows a minute", "allowed", "")]
    for name in NAMES:
        values = [getattr(each, name) for each in samples]
        numbers = [f"{each:,.0f}" for each in (values[0], values[-1], max(values))]
        verdict = "no slope" if grown[name] <= ALLOWED[name] else "GROWS"
        rows.append((name, *numbers, f"{grown[name]:+.2f}", f"{ALLOWED[name]:g}", verdict))
    greatest = {name: max(getattr(each, name) for each in samples) for name in NAMES}
    figures = {"minutes": minutes, "emitted": emitted, "arrived": arrived, "greatest": greatest, **grown}
    return Result(head + "\n" + table(rows), figures)


def soak(seconds: float, rate: int, say: Say) -> tuple[Sequence[Sample], int, int]:
    """Return what the program held over time, how many events it emitted, and how many arrived."""
    samples: list[Sample] = []
    arrived: set[str] = set()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, FakePostHog() as server:
        folder = Path(name)
        load = Load(server.url, str(folder / "tally"), events=int(seconds * rate), per_second=float(rate))
        stage = Stage(server, load, folder, random.Random(0))
        stage.start()
        started = time.monotonic()
        while stage.is_running and stage.emitted()[0] < load.events:
            time.sleep(1.0)
            at_s = time.monotonic() - started
            samples.append(sample(stage.pid, folder / "spool", at_s))
            if len(samples) % FAULT_EVERY == 0:
                server.fault(Fault(status=503))
                say(f"soak: {at_s:.0f} s, {samples[-1]}")
            _forget(server, arrived)
        stage.end()
        stage.adopt_all()
        _forget(server, arrived)
        return samples, sum(stage.emitted()), len(arrived)


def _forget(server: FakePostHog, arrived: set[str]) -> None:
    """Keep the uuids of what arrived, and nothing else of an hour's requests."""
    seen, asked = len(server.events), len(server.requests)
    arrived.update(each.uuid for each in server.events[:seen])
    del server.events[:seen]
    del server.requests[:asked]


KIB = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds.

    Attributes:
        at_s: Since the start of the run.
        memory_kib: Resident, without mapped files: the benchmark's own tally is one, and grows with each event.
        threads: Of the process.
        handles: Open files.
        disk_kib: Of its spool.
    """

    at_s: float
    memory_kib: float
    threads: float
    handles: float
    disk_kib: float


NAMES = ("memory_kib", "threads", "handles", "disk_kib")


def sample(pid: int, spool: Path, at_s: float) -> Sample:
    """Return what the process `pid` holds now."""
    folder = Path("/proc") / str(pid)
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    disk = 0
    for each in spool.glob("**/*"):
        with suppress(FileNotFoundError):  # delivered meanwhile
            disk += each.stat().st_size
    memory, threads = int(status["RssAnon"].split()[0]), int(status["Threads"])
    return Sample(at_s, memory, threads, len(list((folder / "fd").iterdir())), disk / KIB)


def per_minute(samples: Sequence[Sample], name: str) -> float:
    """Return by how much `name` grows in a minute, over the second half of `samples`."""
    half = samples[len(samples) // 2 :]
    return linear_regression([each.at_s for each in half], [getattr(each, name) for each in half]).slope * 60
