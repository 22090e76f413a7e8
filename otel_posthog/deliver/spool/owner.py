"""A directory of one process: whoever has its owner file locked reads, writes and removes what is in it.

The lock is `lockf`'s: it ends with the process, however that ends, and the child of a fork does not inherit it. Such
locks are the process's, not the descriptor's: the process that has one gets it again, and loses it when it closes any
descriptor of that file. So what this process holds is noted here, and its own owner files are never opened twice.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_posthog.deliver.spool.files import Files

OWNER = "owner"
_DRAFT = ".new-"
_MAX_ABOUT_BYTES = 4096
# Nobody takes so long to make a directory: what is older was left by a process that died over it.
_DRAFT_AGE_MS = 60_000

_held: dict[tuple[Path, int], int] = {}
"""(directory, pid) -> descriptor of its locked owner file; the pid tells what a fork copied from what is ours."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A directory that this process has locked."""

    path: Path
    descriptor: int
    files: Files

    def release(self) -> None:
        """Let another process have it."""
        _held.pop((self.path, os.getpid()), None)
        self.files.close(self.descriptor)

    def remove(self) -> None:
        """Remove it and what is in it, then let go.

        Raises:
            OSError: As of the file system; it is let go all the same.
        """
        try:
            # The owner file is the last to go: without it another process would take the rest for left behind.
            for name in sorted(self.files.names(self.path), key=lambda name: name == OWNER):
                self.files.remove(self.path / name)
            self.files.remove_directory(self.path)
        finally:
            self.release()


def create(files: Files, parent: Path, *, now_ms: int, about: Mapping[str, object]) -> Owned:
    """Return a new, locked directory in `parent`.

    It gets its name once it is locked, so that nobody finds it unlocked.

    Args:
        files: The file system.
        parent: The folder of a destination.
        now_ms: Milliseconds since 1970.
        about: For the owner file; tells a person whose directory it is.

    Raises:
        OSError: As of the file system.
    """
    name = f"{now_ms:013d}-{os.getpid()}-{secrets.token_hex(3)}"
    draft, path = parent / (_DRAFT + name), parent / name
    files.make_directory(draft)
    descriptor = files.create(draft / OWNER)
    try:
        files.append(descriptor, json.dumps(about).encode())
        if not files.lock(descriptor):
            raise OSError(f"{draft} is locked by another process")
        _held[path, os.getpid()] = descriptor
        files.rename(draft, path)
        files.sync_directory(parent)
    except OSError:
        _held.pop((path, os.getpid()), None)
        files.close(descriptor)
        raise
    return Owned(path, descriptor, files)


def adopt(files: Files, path: Path) -> Owned | None:
    """Return `path` locked; None where a process, this one or another, has it, or where it is gone."""
    if is_ours(path):
        return None
    try:
        descriptor = _open_owner(files, path / OWNER)
    except OSError:
        return None
    try:
        # Who had it may have removed it between our look and our lock.
        if files.lock(descriptor) and files.is_linked(descriptor):
            _held[path, os.getpid()] = descriptor
            return Owned(path, descriptor, files)
    except OSError:
        pass
    files.close(descriptor)
    return None


def is_ours(path: Path) -> bool:
    """Return whether this process has `path` locked."""
    return (path, os.getpid()) in _held


def directories(files: Files, parent: Path) -> list[Path]:
    """Return the directories of processes in `parent`, the oldest first."""
    return [parent / name for name in files.names(parent) if name[:1].isdigit()]


def remove_drafts(files: Files, parent: Path, *, now_ms: int) -> None:
    """Remove what was left by processes that died while they made their directory."""
    for name in files.names(parent):
        created_ms = name.removeprefix(_DRAFT).partition("-")[0]
        if not name.startswith(_DRAFT) or not created_ms.isdecimal() or now_ms - int(created_ms) < _DRAFT_AGE_MS:
            continue
        left = adopt(files, parent / name)
        if left is not None:
            left.remove()


def read_about(files: Files, path: Path) -> dict[str, object]:
    """Return what the owner file of a directory says; empty where it cannot be read."""
    held = _held.get((path, os.getpid()))
    try:
        descriptor = files.open(path / OWNER) if held is None else held
        try:
            about = json.loads(files.read_at(descriptor, _MAX_ABOUT_BYTES, 0))
        finally:
            if held is None:
                files.close(descriptor)
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _open_owner(files: Files, path: Path) -> int:
    """Open an owner file; make it anew where a power cut took it."""
    try:
        return files.open(path)
    except FileNotFoundError:
        try:
            return files.create(path)
        except FileExistsError:
            return files.open(path)
