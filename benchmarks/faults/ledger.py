"""The books of a run: what was emitted, written so that it outlives a `kill -9`, against what arrived, by uuid.

The event with number n of process p has the uuid p * 10**9 + n, so that the ledger needs no names.
"""

from __future__ import annotations

import mmap
import struct
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import Self

from otel_posthog.testing import CapturedEvent

EVENT = "tick"
_PER_PROCESS = 10**9


def uuid_of(slot: int, number: int) -> str:
    """Return the uuid of an event: of the process `slot`, its event `number`."""
    return str(uuid.UUID(int=slot * _PER_PROCESS + number))


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance of a run.

    Attributes:
        emitted: Events whose emitting call had returned.
        arrived: Those of them that PostHog has.
        duplicates: Events that PostHog would keep twice: the same uuid with another date, name or distinct id.
        repeats: Events that were sent more than once, which PostHog drops.
        lost_ms: From the first event of a process that is lost to its last one.
    """

    emitted: int
    arrived: int
    duplicates: int
    repeats: int
    lost_ms: float = 0.0

    @property
    def lost(self) -> int:
        """Emitted and not arrived."""
        return self.emitted - self.arrived


def balance(tally: Tally, events: Iterable[CapturedEvent]) -> Ledger:
    """Return the balance.

    Args:
        tally: What was emitted.
        events: What the server accepted.
    """
    ours = [each for each in events if each.event == EVENT]
    keys = {each.dedupe_key for each in ours}
    uuids = {each.uuid for each in ours}
    emitted = arrived = 0
    lost_ms = 0.0
    for slot, count in enumerate(tally.counts()):
        lost = [number for number in range(count) if uuid_of(slot, number) not in uuids]
        emitted, arrived = emitted + count, arrived + count - len(lost)
        if lost:
            lost_ms = max(lost_ms, (tally.emitted_at(slot, count - 1) - tally.emitted_at(slot, lost[0])) * 1000)
    return Ledger(emitted, arrived, len(keys) - len(uuids), len(ours) - len(keys), lost_ms)


SLOTS = 8
"""Processes that count: the program is 0, its children follow."""

_COUNT, _TIME = struct.Struct("<Q"), struct.Struct("<d")


class Tally:
    """Counts of emitted events, one for each process of a run, and when each was emitted.

    Args:
        path: A file that is made where it is not there.
        events: The most that one process emits.
        slot: Whose count `add` changes.
    """

    def __init__(self, path: Path, events: int, slot: int = 0) -> None:
        self._slot, self._number = slot, 0
        self._slot_bytes = _COUNT.size + events * _TIME.size
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(self._slot_bytes * SLOTS)
        with path.open("r+b") as file:
            # Shared with the file: the kernel has what is written at once, and keeps it when the process is killed.
            self._memory = mmap.mmap(file.fileno(), self._slot_bytes * SLOTS)

    def of(self, slot: int) -> Self:
        """Count for another process from now on, such as a child of a fork."""
        self._slot, self._number = slot, 0
        return self

    def add(self) -> None:
        """Note that one more event was emitted: the call has returned."""
        start = self._slot * self._slot_bytes
        _TIME.pack_into(self._memory, start + _COUNT.size + self._number * _TIME.size, time.monotonic())
        self._number += 1
        _COUNT.pack_into(self._memory, start, self._number)

    def counts(self) -> tuple[int, ...]:
        """Return the counts of all processes."""
        return tuple(_COUNT.unpack_from(self._memory, slot * self._slot_bytes)[0] for slot in range(SLOTS))

    def emitted_at(self, slot: int, number: int) -> float:
        """Return when a process emitted its event `number`, in monotonic seconds."""
        offset = slot * self._slot_bytes + _COUNT.size + number * _TIME.size
        return float(_TIME.unpack_from(self._memory, offset)[0])
