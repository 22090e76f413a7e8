"""What outlives a process: the events of dead workers are taken over, and writers are killed while they write.

Measured is how long it takes to have all of it and how much memory; counted is what is lost or comes twice.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

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
    """Have `workers` leave `events` events in all, and one process take them over."""
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


EVENTS_PER_KILL = 8000
BATCH = 50

WRITER = """
import os, sys
from pathlib import Path
from benchmarks.spool.appenders import event
from otel_posthog.deliver.spool import Spool
from otel_posthog.health import Health
from otel_posthog.policy import DeliveryPolicy
root, first = Path(sys.argv[1]), int(sys.argv[2])
store, number = Spool(root, "default", DeliveryPolicy(), Health()), first
while True:
    for _ in range({batch}):
        assert store.put(event(number))
        number += 1
    os.write(1, b"%d\\n" % number)
"""


@dataclass(frozen=True, slots=True)
class Killed:
    """What fifty kills did.

    Attributes:
        kills: How many.
        acknowledged: Events whose `put` had returned and that had been told.
        lost: Of those, how many are not there, or not byte for byte.
        repeated: Events that are there more than once.
    """

    kills: int
    acknowledged: int
    lost: int
    repeated: int


def kill_writers(root: Path, kills: int) -> Killed:
    """Kill `kills` processes with SIGKILL, each in the middle of writing."""
    chance, told = Random(7), 0
    expected: list[range] = []
    for number in range(kills):
        first = 1_000_000 * number
        last = _killed(root, first, first + chance.randrange(EVENTS_PER_KILL // 2, EVENTS_PER_KILL * 3 // 2))
        expected.append(range(first, last))
        told += last - first
    found: dict[str, bytes] = {}
    repeated = 0
    store = Spool(root, "default", DeliveryPolicy(), Health())
    while batch := store.take(1000, 10**8):
        for each in batch:
            repeated += each.uuid in found
            found[each.uuid] = each.body
        store.acknowledge(batch)
    store.close()
    lost = sum(found.get(event(each).uuid) != event(each).body for numbers in expected for each in numbers)
    return Killed(kills, told, lost, repeated)


def _killed(root: Path, first: int, until: int) -> int:
    """Start a writer at event `first`, kill it once it has acknowledged `until`; return what it had acknowledged."""
    command = [sys.executable, "-c", WRITER.format(batch=BATCH), str(root), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        last = first
        while last < until:
            last = int(process.stdout.readline())
        time.sleep(0.0007)  # not just after a line: anywhere
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split(b"\n")[:-1]
    return int(lines[-1]) if lines else last
