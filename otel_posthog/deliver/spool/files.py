"""What the spool asks of a file system, and the one that the operating system gives.

Every call that touches a disk goes through here, so that a test can be a full disk, or lose what was never synced.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

try:
    import fcntl
except ImportError:  # Windows
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

# Events are clean, and still nobody else's business.
DIRECTORY_MODE, FILE_MODE = 0o700, 0o600


class Files(Protocol):
    """A file system. Every method raises `OSError` where it fails; descriptors are integers."""

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
    """The operating system's."""

    def make_directory(self, path: Path) -> None:
        """Make `path` and its parents, where missing."""
        path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)

    def names(self, directory: Path) -> list[str]:
        """Return the names in `directory`, sorted."""
        try:
            return sorted(each.name for each in directory.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def create(self, path: Path) -> int:
        """Create and open a file."""
        # O_EXCL also refuses a symbolic link that somebody put there.
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | _CLOSE_ON_EXEC, FILE_MODE)

    def open(self, path: Path) -> int:
        """Open what exists."""
        return os.open(path, os.O_RDWR | _NO_FOLLOW | _CLOSE_ON_EXEC)

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
        descriptor = os.open(path, os.O_RDONLY | _CLOSE_ON_EXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def close(self, descriptor: int) -> None:
        """Close."""
        os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink(missing_ok=True)

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        path.rmdir()

    def rename(self, old: Path, new: Path) -> None:
        """Rename."""
        old.rename(new)

    def lock(self, descriptor: int) -> bool:
        """Lock with `lockf`, which the child of a fork does not inherit, as it would `flock`."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX lets a system say either
            return False
        return True


_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
