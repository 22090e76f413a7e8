"""The directory of one process: the process that has its owner file locked reads, writes and removes what is in it.

The lock is `lockf`'s: it ends with the process, however that ends, and the child of a fork does not inherit it. Such
locks are the process's, not the descriptor's: the process that has one gets it again, and loses it when it closes any
descriptor of that file. So what this process holds is noted here, and its own owner files are never opened twice.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from otel_posthog.deliver.spool import cursor, segment
from otel_posthog.deliver.spool.files import Files, remove_if
from otel_posthog.private_files import ForeignError
from otel_posthog.regex import regex

OWNER = "owner"
_DRAFT = ".new-"
_NAME = regex(r"[0-9]{13,16}-[0-9]{1,10}-[0-9a-f]{6}")
_MAX_ABOUT_BYTES = 4096
# A directory takes far less time to make: what is older was left by a process that died meanwhile.
_DRAFT_AGE_MS = 60_000

_held: dict[tuple[Path, int], int] = {}
"""(directory, pid) -> descriptor of its locked owner file; an entry with another pid was copied by a fork."""
_claims: dict[tuple[Path, int], object] = {}
"""The same, while a thread finds out whether it can have the directory: the lock would let every thread have it."""


class Owned(NamedTuple):
    """A directory that this process has locked."""

    path: Path
    descriptor: int
    files: Files

    def release(self) -> None:
        """Let another process have it."""
        _held.pop((self.path, os.getpid()), None)
        self.files.close(self.descriptor)

    def remove(self) -> None:
        """Remove it and what is in it, as far as that is ours by name and content, then let go.

        Raises:
            ForeignError: Something else is in it; that, the directory and its owner file are left.
            OSError: As of the file system; it is let go all the same.
        """
        try:
            others = [name for name in self.files.names(self.path) if name != OWNER and not self._remove(name)]
            if others:
                raise ForeignError(self.path / others[0], "it is not of this spool")
            # The owner file is the last to go: without it another process would take the rest for left behind.
            if not self._is_owner_file():
                raise ForeignError(self.path / OWNER, "it is not of this spool")
            self.files.remove(self.path / OWNER)
            self.files.remove_directory(self.path)
        finally:
            self.release()

    def _remove(self, name: str) -> bool:
        path = self.path / name
        try:
            if segment.is_name(name):
                return remove_if(self.files, path, segment.is_segment)
            if name == cursor.NAME:
                return remove_if(self.files, path, cursor.is_cursor)
        except ForeignError:
            pass
        return False

    def _is_owner_file(self) -> bool:
        """Return whether the file that is locked is an owner file, or what a power cut leaves of one."""
        data = self.files.read_at(self.descriptor, _MAX_ABOUT_BYTES + 1, 0)
        return len(data) <= _MAX_ABOUT_BYTES and (data.startswith(b"{") or not any(data))


def create(files: Files, parent: Path, *, now_ms: int, about: Mapping[str, object]) -> Owned:
    """Return a new, locked directory in `parent`.

    It gets its name once it is locked, so that no process finds it unlocked.

    Args:
        files: The file system.
        parent: The folder of a destination.
        now_ms: Milliseconds since 1970.
        about: For the owner file, for a person who wonders whose directory it is.

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
    """Return `path` locked; None where a process, this one or another, has it, or where it is gone.

    Raises:
        ForeignError: It is not this user's.
    """
    key, claim = (path, os.getpid()), object()
    if _claims.setdefault(key, claim) is not claim:
        return None
    try:
        return None if is_held(path) else _locked(files, path)
    finally:
        _claims.pop(key, None)


def _locked(files: Files, path: Path) -> Owned | None:
    try:
        descriptor = _open_owner(files, path / OWNER)
    except ForeignError:
        raise
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


def is_held(path: Path) -> bool:
    """Return whether this process has `path` locked."""
    return (path, os.getpid()) in _held


def directories(files: Files, parent: Path) -> list[Path]:
    """Return the directories of processes in `parent`, the oldest first."""
    return [parent / name for name in files.names(parent) if _NAME.fullmatch(name)]


def remove_drafts(files: Files, parent: Path, *, now_ms: int) -> None:
    """Remove what was left by processes that died while they made their directory."""
    for name in files.names(parent):
        created_ms = name.removeprefix(_DRAFT).partition("-")[0]
        is_draft = name.startswith(_DRAFT) and _NAME.fullmatch(name.removeprefix(_DRAFT))
        if not is_draft or now_ms - int(created_ms) < _DRAFT_AGE_MS:
            continue
        with suppress(ForeignError):
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
