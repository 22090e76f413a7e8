"""What the spool asks of the operating system: a file system and a clock.

Every call that touches a disk goes through here, so that a test can be a full disk, or lose what was never synced.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol

from otel_posthog.private_files import OpenDirectory, make_directories, open_directory

try:
    import fcntl
except ImportError:  # Windows
    HAS_LOCKS = False
else:
    HAS_LOCKS = True


class Files(Protocol):
    """A file system. Every method raises `OSError` where it fails; descriptors are integers.

    What is not this user's alone is not used: that is a `ForeignError`.
    """

    def make_directory(self, path: Path) -> None:
        """Make `path` and its parents, where missing, for this user only."""

    def names(self, directory: Path) -> list[str]:
        """Return the names in `directory`, sorted; none where it does not exist."""

    def create(self, path: Path) -> int:
        """Create `path`, for this user only, and open it; fail where it exists."""

    def open(self, path: Path) -> int:
        """Open what exists for reading and writing."""

    def append(self, descriptor: int, data: bytes) -> int:
        """Write at the end and return how many bytes were written, which may be fewer."""

    def write_at(self, descriptor: int, data: bytes, offset: int) -> int:
        """Write at `offset` and return how many bytes were written."""

    def read_at(self, descriptor: int, size: int, offset: int) -> bytes:
        """Return up to `size` bytes from `offset`."""

    def size(self, descriptor: int) -> int:
        """Return the size in bytes."""

    def is_linked(self, descriptor: int) -> bool:
        """Return whether the file still has a name."""

    def sync(self, descriptor: int) -> None:
        """Have what was written survive a power cut."""

    def sync_directory(self, path: Path) -> None:
        """Have the names in `path` survive a power cut."""

    def close(self, descriptor: int) -> None:
        """Close; locks on the file that this process holds end."""

    def remove(self, path: Path) -> None:
        """Remove a file; one that is gone already is fine."""

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""

    def rename(self, old: Path, new: Path) -> None:
        """Give `old` the name `new`."""

    def lock(self, descriptor: int) -> bool:
        """Lock the file for this process, without waiting; return False where another process has it."""


class OsFiles:
    """The operating system's: all that is below one directory, as far as it is ours.

    Args:
        root: The directory, of any owner; paths are given whole.
        for_owner: Whether root, on its command line, may work on what another user has there, one user's throughout.
        may_only_read: Whether what is on a read-only file system is opened all the same, for reading alone.
    """

    def __init__(self, root: Path, *, for_owner: bool = False, may_only_read: bool = False) -> None:
        self._root, self._for_owner, self._may_only_read = root, for_owner, may_only_read

    def make_directory(self, path: Path) -> None:
        """Make `path` and its parents, where missing."""
        make_directories(self._root)
        names = path.relative_to(self._root).parts
        for depth, name in enumerate(names):
            with self._opened(self._root.joinpath(*names[:depth])) as parent:
                parent.make(name)
        with self._opened(path):
            pass  # it is ours, also where it was there before

    def names(self, directory: Path) -> list[str]:
        """Return the names in `directory`, sorted."""
        try:
            with self._opened(directory) as there:
                # Of the descriptor, which no path of pathlib's can be.
                return sorted(os.listdir(directory if there.descriptor is None else there.descriptor))  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            return []

    def create(self, path: Path) -> int:
        """Create and open a file."""
        with self._opened(path.parent) as there:
            return there.create(path.name)

    def open(self, path: Path) -> int:
        """Open what exists."""
        with self._opened(path.parent) as there:
            try:
                return there.open(path.name)
            except OSError as error:
                if error.errno != errno.EROFS or not self._may_only_read:
                    raise
            return there.open(path.name, os.O_RDONLY)

    def append(self, descriptor: int, data: bytes) -> int:
        """Write where the last write ended."""
        return os.write(descriptor, data)

    def write_at(self, descriptor: int, data: bytes, offset: int) -> int:
        """Write at `offset`."""
        return os.pwrite(descriptor, data, offset)

    def read_at(self, descriptor: int, size: int, offset: int) -> bytes:
        """Read from `offset`."""
        return os.pread(descriptor, size, offset)

    def size(self, descriptor: int) -> int:
        """Return the size in bytes."""
        return os.fstat(descriptor).st_size

    def is_linked(self, descriptor: int) -> bool:
        """Return whether the file still has a name."""
        return os.fstat(descriptor).st_nlink > 0

    def sync(self, descriptor: int) -> None:
        """Have what was written survive a power cut."""
        os.fsync(descriptor)

    def sync_directory(self, path: Path) -> None:
        """Have the names in `path` survive a power cut."""
        if path == self._root.parent:
            _sync_directory(path)
            return
        with self._opened(path) as there:
            if there.descriptor is not None:
                os.fsync(there.descriptor)

    def close(self, descriptor: int) -> None:
        """Close."""
        os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        with self._opened(path.parent) as there, suppress(FileNotFoundError):
            os.unlink(there.named(path.name), dir_fd=there.descriptor)

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        with self._opened(path.parent) as there:
            os.rmdir(there.named(path.name), dir_fd=there.descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Rename."""
        with self._opened(old.parent) as source, self._opened(new.parent) as target:
            os.rename(
                source.named(old.name),
                target.named(new.name),
                src_dir_fd=source.descriptor,
                dst_dir_fd=target.descriptor,
            )

    def lock(self, descriptor: int) -> bool:
        """Lock with `lockf`, which the child of a fork does not inherit, as it would `flock`."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX lets a system say either
            return False
        except OSError as error:
            if error.errno != errno.EBADF or not self._may_only_read:
                raise
            return self._lock_to_read(descriptor)
        return True

    def _lock_to_read(self, descriptor: int) -> bool:
        """Lock what is open for reading alone; False where another process has it to write."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _opened(self, directory: Path) -> AbstractContextManager[OpenDirectory]:
        return open_directory(self._root, *directory.relative_to(self._root).parts, for_owner=self._for_owner)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def size_of(files: Files, path: Path) -> int:
    """Return the size of the file in bytes; 0 where it is gone."""
    try:
        descriptor = files.open(path)
    except OSError:
        return 0
    try:
        return files.size(descriptor)
    finally:
        files.close(descriptor)


def write_whole(files: Files, path: Path, data: bytes) -> None:
    """Write a file that is there whole and synced, or not at all.

    Raises:
        OSError: It is not there.
    """
    draft = path.with_name(f".{path.name}.new")
    descriptor = files.create(draft)
    try:
        while data:
            data = data[files.append(descriptor, data) :]
        files.sync(descriptor)
    except OSError:
        files.remove(draft)
        raise
    finally:
        files.close(descriptor)
    files.rename(draft, path)
    files.sync_directory(path.parent)


def remove_if(files: Files, path: Path, is_ours: Callable[[Files, int], bool]) -> bool:
    """Remove a file, or find it gone; return False, and leave it, where it is not ours by its content.

    Args:
        files: The file system.
        path: The file.
        is_ours: Given the file system and a descriptor of the file.

    Raises:
        ForeignError: It is not this user's.
        OSError: As of the file system.
    """
    try:
        descriptor = files.open(path)
    except FileNotFoundError:
        return True
    try:
        if not is_ours(files, descriptor):
            return False
    finally:
        files.close(descriptor)
    files.remove(path)
    return True


class Clock:
    """Milliseconds since 1970: the time of the start, counted on by a clock that never jumps."""

    def __init__(self) -> None:
        self._start_ns = time.time_ns() - time.monotonic_ns()

    def __call__(self) -> int:
        """Return the time."""
        return (self._start_ns + time.monotonic_ns()) // 1_000_000
