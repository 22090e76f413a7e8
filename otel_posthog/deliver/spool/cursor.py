"""How far a directory's events are acknowledged: two slots, written in turn, the newer one that checks is valid.

A slot is 4096 bytes: magic (4), generation (u64), segment (u32), offset (u32), number of positions that follow (u32),
CRC-32 (u32) over all of it; then positions (segment, offset; u32 each) beyond that point that are acknowledged already.
Both slots exist from the start, so that a full disk can still acknowledge. A cursor that is lost costs repeats, which
their uuids make harmless, and no event.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Collection
from pathlib import Path

from otel_posthog.deliver.spool.files import Files

SLOT_BYTES = 4096
NAME = "cursor"
Position = tuple[int, int]
"""Segment and offset."""

_MAGIC = b"OPHC"
_HEAD = struct.Struct("<4sQIII")
_CHECK = struct.Struct("<I")
_POSITION = struct.Struct("<II")
MAX_BEYOND = (SLOT_BYTES - _HEAD.size - _CHECK.size) // _POSITION.size


class Cursor:
    """The cursor of one directory; only the process that has locked the directory opens it.

    Args:
        files: The file system.
        directory: Where it is.

    Attributes:
        position: Everything before it is acknowledged.
        beyond: What is acknowledged after it.
    """

    def __init__(self, files: Files, directory: Path) -> None:
        self._files, self._path = files, directory / NAME
        self.position: Position = (0, 0)
        self.beyond: frozenset[Position] = frozenset()
        self._generation = 0
        self._descriptor: int | None = None
        self._is_foreign = False
        with contextlib.suppress(FileNotFoundError):
            descriptor = files.open(self._path)
            if not is_cursor(files, descriptor):
                # Whatever it is, it is not written to: at worst events are repeated.
                self._is_foreign = True
                files.close(descriptor)
                return
            self._descriptor = descriptor
            data = files.read_at(descriptor, 2 * SLOT_BYTES, 0)
            for slot in (data[:SLOT_BYTES], data[SLOT_BYTES:]):
                self._read(slot)

    def allocate(self) -> None:
        """Have both slots on disk, before there is anything to acknowledge.

        Raises:
            OSError: As of the file system.
        """
        if self._descriptor is None:
            self._descriptor = self._files.create(self._path)
        missing = 2 * SLOT_BYTES - self._files.size(self._descriptor)
        if missing > 0:
            self._files.write_at(self._descriptor, bytes(missing), 2 * SLOT_BYTES - missing)
            self._files.sync(self._descriptor)

    def save(self, position: Position, beyond: Collection[Position] = ()) -> None:
        """Write the slot that is older.

        Raises:
            OSError: As of the file system; the other slot stands.
        """
        if self._is_foreign or (position == self.position and not beyond and not self.beyond):
            return
        if self._descriptor is None:
            self._descriptor = self._files.create(self._path)  # a power cut took it
        kept = sorted(beyond)[:MAX_BEYOND]
        head = _HEAD.pack(_MAGIC, self._generation + 1, *position, len(kept))
        positions = b"".join(_POSITION.pack(*each) for each in kept)
        slot = head + _CHECK.pack(zlib.crc32(positions, zlib.crc32(head))) + positions
        self._files.write_at(self._descriptor, slot, (self._generation + 1) % 2 * SLOT_BYTES)
        self._generation += 1
        self.position, self.beyond = position, frozenset(kept)

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._files.close(descriptor)

    def _read(self, slot: bytes) -> None:
        """Take over what `slot` says, if it checks and is newer than what is known."""
        if len(slot) < _HEAD.size + _CHECK.size:
            return
        magic, generation, segment, offset, count = _HEAD.unpack_from(slot)
        (check,) = _CHECK.unpack_from(slot, _HEAD.size)
        positions = slot[_HEAD.size + _CHECK.size :][: count * _POSITION.size]
        if magic != _MAGIC or len(positions) != count * _POSITION.size or generation <= self._generation:
            return
        if zlib.crc32(positions, zlib.crc32(slot[: _HEAD.size])) == check:
            self._generation, self.position = generation, (segment, offset)
            self.beyond = frozenset(each for each in _POSITION.iter_unpack(positions))


def is_cursor(files: Files, descriptor: int) -> bool:
    """Return whether a file of that name is a cursor, as far as damage to one of its slots lets it be known."""
    if files.size(descriptor) > 2 * SLOT_BYTES:
        return False
    data = files.read_at(descriptor, 2 * SLOT_BYTES, 0)
    slots = [slot for slot in (data[:SLOT_BYTES], data[SLOT_BYTES:]) if slot]
    return not slots or any(slot.startswith(_MAGIC) or not any(slot[: _HEAD.size]) for slot in slots)
