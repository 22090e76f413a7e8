"""A file system in memory that can be killed, lose power, be full and fail, as a model of a real one.

What was written and not synced survives a kill, and each 512 bytes of it survive a power cut or do not, in no order; a
name that was made, changed or removed survives once its directory was synced, and may or may not before.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SECTOR_BYTES = 512
Chance = Callable[[], bool]
"""Decides whether one thing that was never synced survives."""


@dataclass
class Inode:
    """A file: what programs see, and what the disk has."""

    seen: bytearray = field(default_factory=bytearray)
    on_disk: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)
    links: int = 1
    is_locked: bool = False


@dataclass
class Directory:
    """Names: what programs see, and what the disk has."""

    seen: dict[str, Inode | None] = field(default_factory=dict)
    on_disk: dict[str, Inode | None] = field(default_factory=dict)


class PageCache:
    """A `Files`.

    Attributes:
        room_bytes: What still fits; None is endless.
        error: Raised by whatever writes or syncs, while set.
        synced: How often a file was synced.
    """

    def __init__(self) -> None:
        self.room_bytes: int | None = None
        self.error: OSError | None = None
        self.synced = 0
        self._directories: dict[Path, Directory] = {}
        self._open: dict[int, Inode] = {}
        self._next = 1000

    def kill(self) -> None:
        """End the process: descriptors and locks go, data stays."""
        for inode in self._open.values():
            inode.is_locked = False
        self._open.clear()

    def lose_power(self, survives: Chance) -> None:
        """End everything; of what was never synced each part is there if `survives` says so."""
        self.kill()
        for directory in self._directories.values():
            for name in directory.seen.keys() | directory.on_disk.keys():
                before, after = directory.on_disk.get(name, Ellipsis), directory.seen.get(name, Ellipsis)
                if before is not after and survives():
                    if isinstance(after, Inode) or after is None:
                        directory.on_disk[name] = after
                    else:
                        directory.on_disk.pop(name)
            directory.seen = dict(directory.on_disk)
        for inode in {id(each): each for each in self._all_inodes()}.values():
            _settle(inode, survives)

    def damage(self, path: Path, change: Callable[[bytearray], None]) -> None:
        """Change the bytes of a file behind everybody's back."""
        change(self._file(path).seen)

    def make_directory(self, path: Path) -> None:
        """Make it with its parents."""
        for each in (*reversed(path.parents), path):
            if each not in self._directories:
                self._directories[each] = Directory()
                parent = self._directories.get(each.parent)
                if parent is not None and each != each.parent:
                    parent.seen[each.name] = None

    def names(self, directory: Path) -> list[str]:
        """Return the names that programs see; a directory whose own name was lost is not there."""
        return sorted(self._directories[directory].seen) if self._exists(directory) else []

    def create(self, path: Path) -> int:
        """Create a file."""
        self._fail()
        if not self._exists(path.parent):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if path.name in self._directories[path.parent].seen:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        inode = self._directories[path.parent].seen[path.name] = Inode()
        return self._descriptor(inode)

    def open(self, path: Path) -> int:
        """Open a file."""
        return self._descriptor(self._file(path))

    def append(self, descriptor: int, data: bytes) -> int:
        """Write at the end, as much as there is room for."""
        self._fail()
        inode = self._open[descriptor]
        if self.room_bytes is not None:
            data = data[: self.room_bytes]
            if not data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.room_bytes -= len(data)
        return self._put(inode, data, len(inode.seen))

    def write_at(self, descriptor: int, data: bytes, offset: int) -> int:
        """Write; what lies within the file needs no room."""
        inode = self._open[descriptor]
        if offset + len(data) > len(inode.seen):
            self._fail()
            if self.room_bytes is not None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._put(inode, data, offset)

    def read_at(self, descriptor: int, size: int, offset: int) -> bytes:
        """Read."""
        return bytes(self._open[descriptor].seen[offset : offset + size])

    def size(self, descriptor: int) -> int:
        """Return the size."""
        return len(self._open[descriptor].seen)

    def is_linked(self, descriptor: int) -> bool:
        """Return whether it has a name."""
        return self._open[descriptor].links > 0

    def sync(self, descriptor: int) -> None:
        """Have a file on disk."""
        self._fail()
        inode = self._open[descriptor]
        inode.on_disk, inode.dirty = bytearray(inode.seen), set()
        self.synced += 1

    def sync_directory(self, path: Path) -> None:
        """Have its names on disk."""
        self._fail()
        if not self._exists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._directories[path].on_disk = dict(self._directories[path].seen)

    def close(self, descriptor: int) -> None:
        """Close; a lock of the process ends with any of its descriptors."""
        self._open.pop(descriptor).is_locked = False

    def remove(self, path: Path) -> None:
        """Remove a file."""
        inode = self._directories[path.parent].seen.pop(path.name, None)
        if inode is not None:
            inode.links -= 1

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        if self._directories[path].seen:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        self._directories[path.parent].seen.pop(path.name)

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file or a directory."""
        self._fail()
        names = self._directories[old.parent].seen
        names[new.name] = names.pop(old.name)
        if old in self._directories:
            self._directories[new] = self._directories.pop(old)

    def lock(self, descriptor: int) -> bool:
        """Lock; the one process of the model always gets it."""
        self._open[descriptor].is_locked = True
        return True

    def _exists(self, directory: Path) -> bool:
        return directory in self._directories and (
            directory.parent == directory
            or directory.parent not in self._directories
            or directory.name in self._directories[directory.parent].seen
        )

    def _file(self, path: Path) -> Inode:
        inode = self._directories[path.parent].seen.get(path.name) if self._exists(path.parent) else None
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return inode

    def _descriptor(self, inode: Inode) -> int:
        self._next += 1
        self._open[self._next] = inode
        return self._next

    def _put(self, inode: Inode, data: bytes, offset: int) -> int:
        inode.seen.extend(bytes(max(0, offset - len(inode.seen))))
        inode.seen[offset : offset + len(data)] = data
        inode.dirty.update(range(offset // SECTOR_BYTES, (offset + len(data) - 1) // SECTOR_BYTES + 1))
        return len(data)

    def _all_inodes(self) -> list[Inode]:
        names = (each.seen.values() for each in self._directories.values())
        return [inode for values in names for inode in values if inode is not None]

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


def _settle(inode: Inode, survives: Chance) -> None:
    """Leave of a file what the disk has, and of the rest what survives: its size, and each sector, by themselves."""
    disk = inode.on_disk
    if len(inode.seen) > len(disk) and survives():
        disk.extend(bytes(len(inode.seen) - len(disk)))
    for sector in sorted(inode.dirty):
        piece = slice(sector * SECTOR_BYTES, min((sector + 1) * SECTOR_BYTES, len(disk)))
        if piece.start < piece.stop and survives():
            disk[piece] = inode.seen[piece]
    inode.seen, inode.dirty = bytearray(disk), set()
