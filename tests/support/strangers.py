"""What somebody else may have put in the place of one of our files or directories."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

STRANGER = 54321
"""A user whom nobody is."""


def needs_root() -> None:
    """Skip where this process cannot give a file to another user."""
    if os.geteuid() != 0:
        pytest.skip("not root: a file cannot be given to another user")


def give_away(path: Path) -> None:
    """Give `path`, and all that is below it, to another user."""
    for each in (path, *path.rglob("*")):
        os.chown(each, STRANGER, STRANGER, follow_symlinks=False)


def _moved(path: Path) -> Path:
    aside = path.parent.parent / f"{path.name}.aside"
    path.rename(aside)
    return aside


def _symlink(path: Path) -> None:
    path.symlink_to(_moved(path))


def _dangling(path: Path) -> None:
    _moved(path)
    path.symlink_to("/nowhere/at/all")


def _pipe(path: Path) -> None:
    _moved(path)
    os.mkfifo(path)


def _socket(path: Path) -> None:
    _moved(path)
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may have 107 characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _hard_link(path: Path) -> None:
    os.link(path, path.parent.parent / f"{path.name}.linked")


def _chmod(mode: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(mode)


def _other_kind(path: Path) -> None:
    """Put a file in a directory's place, or a directory in a file's."""
    was_directory = path.is_dir()
    _moved(path)
    if was_directory:
        path.write_bytes(b"somebody's")
    else:
        path.mkdir()
        (path / "inside").write_bytes(b"somebody's")


DIRECTORIES: dict[str, Callable[[Path], None]] = {
    "a symbolic link to the directory": _symlink,
    "a symbolic link to nothing": _dangling,
    "a file": _other_kind,
    "a pipe": _pipe,
    "another user's": give_away,
    "writable by all": _chmod(0o777),
    "writable by a group": _chmod(0o770),
    "sticky and writable by all": _chmod(0o1777),
}
FILES: dict[str, Callable[[Path], None]] = {
    "a symbolic link to the file": _symlink,
    "a symbolic link to nothing": _dangling,
    "a directory": _other_kind,
    "a pipe": _pipe,
    "a socket": _socket,
    "a hard link": _hard_link,
    "another user's": give_away,
    "writable by all": _chmod(0o666),
    "writable by a group": _chmod(0o620),
}
"""What becomes of a directory or file of ours, by name."""


def everything(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return all that is in `folder`, by path: kind and mode, owner, and content; nothing is followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_uid, content)
    return found
