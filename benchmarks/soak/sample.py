"""What a process holds at one moment, and how that grows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

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
