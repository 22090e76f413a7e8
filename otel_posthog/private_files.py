"""Directories and files that only this user can have put there, and only this user can change.

A path is walked name by name from a directory that the operator named. That one may be root's or shared, as the volumes
of containers are; whatever is in it is opened from its directory's descriptor, never through a symbolic link, and
refused unless it is what it should be, belongs to this user and is closed to the writes of others. Where a system knows
no owners (Windows), nothing is refused.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

# What is kept is filtered or random, and is still not for other users to read.
DIRECTORY_MODE, FILE_MODE = 0o700, 0o600

_KNOWS_OWNERS = hasattr(os, "geteuid")
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# A pipe or a terminal in a file's place must neither block the open nor become the controlling terminal.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOSE_ON_EXEC


class ForeignError(OSError):
    """Something that is not used, since it is not ours alone; `strerror` says why, `filename` what."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EPERM, why, str(path))


class Trust(NamedTuple):
    """Whose directories and files are used.

    Attributes:
        uid: The user whose they may be; to whom root hands over what it makes.
        gid: A group that may write as well: the one that the whole directory was handed to, as Kubernetes does at each
            mount (`fsGroup`), when it makes all that is in a volume writable for it. None where there is no such group.
        is_roots: Whether they may be root's as well.
    """

    uid: int
    gid: int | None = None
    is_roots: bool = False

    def check(self, status: os.stat_result, path: Path, *, is_directory: bool = False) -> None:
        """Refuse what is not real, ours and closed to others.

        Raises:
            ForeignError: It is not.
        """
        if not _KNOWS_OWNERS:
            return
        mode = status.st_mode
        if stat.S_ISLNK(mode):
            raise ForeignError(path, "it is a symbolic link")
        if is_directory and not stat.S_ISDIR(mode):
            raise ForeignError(path, "it is no directory")
        if not is_directory and not stat.S_ISREG(mode):
            raise ForeignError(path, "it is no regular file")
        if status.st_uid != self.uid and (status.st_uid or not self.is_roots):
            raise ForeignError(path, f"it belongs to another user (uid {status.st_uid})")
        if mode & stat.S_IWOTH or (mode & stat.S_IWGRP and status.st_gid != self.gid):
            raise ForeignError(path, "other users can write to it")


class OpenDirectory:
    """A directory that is open: its own names are all that can be reached from it.

    Args:
        path: Of the directory.
        descriptor: Of the directory; None where the system opens none (Windows).
        trust: Whose things in it are used.
        status: Of the directory.
    """

    def __init__(self, path: Path, descriptor: int | None, trust: Trust, status: os.stat_result) -> None:
        self.path, self.descriptor, self.trust, self.status = path, descriptor, trust, status

    def named(self, name: str) -> str:
        """Return what stands for `name` in a call that gets `descriptor` as its `dir_fd`."""
        return name if self.descriptor is not None else str(self.path / name)

    def stat(self, name: str) -> os.stat_result:
        """Return what is there, a symbolic link itself and not what it leads to."""
        return os.stat(self.named(name), dir_fd=self.descriptor, follow_symlinks=False)

    def open(self, name: str, flags: int = os.O_RDWR, *, may_have_names: bool = False) -> int:
        """Open a file that exists.

        Args:
            name: Of the file.
            flags: As of `os.open`.
            may_have_names: Whether it may have another name, by which it may be something else as well.

        Raises:
            ForeignError: It is not ours.
            OSError: As of the file system.
        """
        # Looked at first, since opening alone does something to some devices.
        status = self.stat(name)
        self.trust.check(status, self.path / name)
        if status.st_nlink > 1 and not may_have_names:
            raise ForeignError(self.path / name, "it has another name as well (a hard link)")
        descriptor = os.open(self.named(name), flags | _NO_FOLLOW | _AT_ONCE | _CLOSE_ON_EXEC, dir_fd=self.descriptor)
        try:
            self.trust.check(os.fstat(descriptor), self.path / name)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def create(self, name: str) -> int:
        """Create a file for its owner alone and open it; fail where anything has that name."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | _NO_FOLLOW | _CLOSE_ON_EXEC
        descriptor = os.open(self.named(name), flags, FILE_MODE, dir_fd=self.descriptor)
        self._give(descriptor)
        return descriptor

    def make(self, name: str) -> None:
        """Make a directory for its owner alone, unless it exists."""
        try:
            os.mkdir(self.named(name), DIRECTORY_MODE, dir_fd=self.descriptor)
        except FileExistsError:
            return
        if self.descriptor is not None and _KNOWS_OWNERS and os.geteuid() != self.trust.uid:
            descriptor = os.open(name, _DIRECTORY | _NO_FOLLOW, dir_fd=self.descriptor)
            try:
                self._give(descriptor)
            finally:
                os.close(descriptor)

    def _give(self, descriptor: int) -> None:
        """Hand what root has just made over to the user for whom root works."""
        if _KNOWS_OWNERS and os.geteuid() != self.trust.uid:
            os.fchown(descriptor, self.trust.uid, self.status.st_gid)


@contextmanager
def open_directory(root: Path, *names: str, for_owner: bool = False) -> Iterator[OpenDirectory]:
    """Yield the directory that is reached from `root` by `names`.

    Args:
        root: A directory that the operator named; whose it is does not matter.
        names: Of directories below it, each of which must be ours.
        for_owner: Where this process is root's: accept what belongs to the owner of `root` in it, and below it what
            belongs to the owner of the first of `names`, from there on to no other user.

    Raises:
        ForeignError: One of them is not ours.
        OSError: As of the file system.
    """
    if not _KNOWS_OWNERS:
        path = root.joinpath(*names)
        yield OpenDirectory(path, None, Trust(0), path.stat())
        return
    _check_link(root)
    path, descriptor = root, os.open(root, _DIRECTORY)
    try:
        status = os.fstat(descriptor)
        takes_any = for_owner and os.geteuid() == 0
        gid = status.st_gid if status.st_mode & stat.S_IWGRP else None
        trust = Trust(status.st_uid if takes_any else os.geteuid(), gid, is_roots=takes_any)
        for depth, name in enumerate(names):
            path = path / name
            below = _open_below(descriptor, name, path)
            os.close(descriptor)
            descriptor = below
            status = os.fstat(descriptor)
            if takes_any and not depth:
                trust = Trust(status.st_uid, gid)
            trust.check(status, path, is_directory=True)
        yield OpenDirectory(path, descriptor, trust, status)
    finally:
        os.close(descriptor)


def make_directories(path: Path) -> None:
    """Make `path` and its parents, where missing, each for this user only, whatever the umask.

    Raises:
        OSError: As of the file system, and where there is no home that a `~` could stand for.
    """
    # A container's numeric user has no home: "~" would be made where the program happens to stand.
    if path.parts[:1] and path.parts[0].startswith("~"):
        raise OSError(errno.ENOENT, "there is no home directory that ~ could stand for", str(path))
    try:
        path.mkdir(DIRECTORY_MODE)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_directories(path.parent)
        path.mkdir(DIRECTORY_MODE, exist_ok=True)
    except OSError:
        # Some systems say of a directory that exists that it cannot be written.
        if not path.is_dir():
            raise


def _open_below(parent: int, name: str, path: Path) -> int:
    try:
        return os.open(name, _DIRECTORY | _NO_FOLLOW, dir_fd=parent)
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP}:
            is_link = stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
            raise ForeignError(path, "it is a symbolic link" if is_link else "it is no directory") from None
        raise


def _check_link(root: Path) -> None:
    """Refuse a link that another user put in the place of the directory that the operator named."""
    status = root.lstat()
    if stat.S_ISLNK(status.st_mode) and status.st_uid not in {0, os.geteuid()}:
        raise ForeignError(root, "it is a symbolic link of another user")
