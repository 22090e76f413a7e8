"""What dead workers left: how long it takes to have it all, and how much memory."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.spool.appenders import event
from otel_posthog.deliver.spool import Spool
from otel_posthog.health import Health
from otel_posthog.policy import DeliveryPolicy

POLICY = DeliveryPolicy(max_spool_bytes=8 * 1024**3)
BATCH_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came back.

    Attributes:
        workers: Directories.
        events: All of them.
        found: How many came out.
        adopted_s: Until the new process knew what there is.
        drained_s: Until it had read and acknowledged all of it.
        put_peak_mib: Greatest resident memory by the time all was put.
        drained_peak_mib: The same by the time all was drained.
    """

    workers: int
    events: int
    found: int
    adopted_s: float
    drained_s: float
    put_peak_mib: float
    drained_peak_mib: float


def recover(root: Path, workers: int, events: int) -> Recovered:
    """Have `workers` leave `events` in all, and one process take them over."""
    each = events // workers
    for worker in range(workers):
        left = Spool(root / f"worker{worker}", "default", POLICY, Health())
        for number in range(each):
            left.put(event(worker * each + number))
        left.close()
    (root / "spool" / "default").mkdir(parents=True)
    for path in root.glob("worker*/default/*"):
        path.rename(root / "spool" / "default" / path.name)
    put_peak = _peak_mib()
    started = time.perf_counter()
    store = Spool(root / "spool", "default", POLICY, Health())
    adopted = time.perf_counter()
    found = 0
    while batch := store.take(BATCH_EVENTS, 10**8):
        found += len(batch)
        store.acknowledge(batch)
    drained = time.perf_counter()
    store.close()
    return Recovered(workers, each * workers, found, adopted - started, drained - started, put_peak, _peak_mib())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
