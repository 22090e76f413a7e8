"""A count that outlives a `kill -9`: a file in shared memory, written after each event that was emitted."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path

from typing_extensions import Self

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
            # Shared with the file: what is written is the kernel's at once, whatever becomes of the process.
            self._memory = mmap.mmap(file.fileno(), self._slot_bytes * SLOTS)

    def of(self, slot: int) -> Self:
        """Count for another process from now on, a child of a fork say."""
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
