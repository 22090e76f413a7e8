"""A count that outlives a `kill -9`: a file in shared memory, written after each event that was emitted."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from typing_extensions import Self

_NUMBER = struct.Struct("<Q")
SLOTS = 16
"""Processes that count: the program is 0, its children follow."""


class Tally:
    """Counts of emitted events, one for each process of a run.

    Args:
        path: A file that is made where it is not there.
        slot: Whose count `add` changes.
    """

    def __init__(self, path: Path, slot: int = 0) -> None:
        self._slot, self._count = slot, 0
        if not path.exists():
            path.write_bytes(bytes(_NUMBER.size * SLOTS))
        with path.open("r+b") as file:
            # Shared with the file: what is written is the kernel's at once, whatever becomes of the process.
            self._memory = mmap.mmap(file.fileno(), _NUMBER.size * SLOTS)

    def of(self, slot: int) -> Self:
        """Count for another process from now on, a child of a fork say."""
        self._slot, self._count = slot, 0
        return self

    def add(self) -> None:
        """Note that one more event was emitted: the call has returned."""
        self._count += 1
        _NUMBER.pack_into(self._memory, self._slot * _NUMBER.size, self._count)

    def counts(self) -> tuple[int, ...]:
        """Return the counts of all processes."""
        return tuple(_NUMBER.unpack_from(self._memory, slot * _NUMBER.size)[0] for slot in range(SLOTS))
