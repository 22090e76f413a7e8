"""Kills a writing process again and again, and counts what of its events is not there afterwards."""

from __future__ import annotations

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
    """Start a writer at `first` and kill it once it told of `until`; return where what it told of ends."""
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
