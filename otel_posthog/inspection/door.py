"""Sockets in a directory that are this user's alone: an app listens on one, a viewer finds all of them.

A directory that others can write is refused, and so is a socket of another user, on either side, by its file and by
what the system says of the other end. A socket gets its mode before it listens and its name after that. What a process
that ended at once has left behind is swept by the next one that listens.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import stat
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import final

from otel_posthog import environment_variables as env
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy.collection import FALSE_WORDS, TRUE_WORDS
from otel_posthog.private_files import ForeignError, OpenDirectory, make_directories, open_directory
from otel_posthog.state import state_directory

FOLDER, SUFFIX = "inspect", ".sock"
SOCKET_MODE = 0o600
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_HAS_SOCKETS = hasattr(socket, "AF_UNIX")
# A name for a descriptor, by which a socket's address is short, and nobody can exchange the directory meanwhile.
_BY_DESCRIPTOR = Path("/proc/self/fd").is_dir()
_DRAFT, _DRAFT_AGE_S = ".draft-", 60.0
_CREDENTIALS = struct.Struct("3i")


def asked_for(environ: Mapping[str, str]) -> Path | None:
    """Return the directory in which the environment has this process listen; None where it is not to.

    Raises:
        ConfigurationError: The word is neither yes nor no nor a path: nothing listens then.
    """
    word = environ.get(env.OTEL_POSTHOG_INSPECT, "").strip()
    if not word or word.lower() in FALSE_WORDS:
        return None
    return directory_of(word, environ)


def directory_of(word: str, environ: Mapping[str, str]) -> Path:
    """Return the directory that a word or a path stands for.

    Raises:
        ConfigurationError: It is neither.
    """
    if word.lower() in TRUE_WORDS:
        return state_directory(environ) / FOLDER
    if os.sep not in word and not word.startswith(("~", ".")):
        raise ConfigurationError(f"{env.OTEL_POSTHOG_INSPECT} is neither 1 nor a path (write ./name): nothing listens")
    try:
        return Path(word).expanduser().absolute()
    except RuntimeError:  # there is no home
        return Path(word).absolute()


@contextmanager
def opened(directory: Path, *, for_owner: bool = False) -> Iterator[OpenDirectory]:
    """Yield a directory of sockets.

    Args:
        directory: Its path.
        for_owner: Where this process is root's: look there for whoever owns it.

    Raises:
        ForeignError: Others can write to it, or it is another user's.
        OSError: As of the file system.
    """
    with open_directory(directory.parent, directory.name, for_owner=for_owner) as there:
        if there.status.st_mode & _OTHERS_WRITE:
            raise ForeignError(directory, "other users can write to it")
        yield there


@final
class Door:
    """A listening socket, and its file.

    Args:
        directory: Where; made where it is missing.

    Raises:
        OSError: Nobody can listen there; `strerror` says why.
    """

    def __init__(self, directory: Path) -> None:
        if not _HAS_SOCKETS:
            raise OSError(errno.EAFNOSUPPORT, "this system has no Unix sockets in Python")
        make_directories(directory)
        self._directory, self.name = directory, f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        self._pid = os.getpid()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.setblocking(False)
        try:
            with opened(directory) as there:
                _sweep(there)
                self._bind(there)
        except OSError:
            self._listening.close()
            raise

    def accept(self) -> socket.socket | None:
        """Return who has come, if it is this user or root; None where nobody has."""
        try:
            come, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError):
            return None
        come.setblocking(False)
        if peer_uid(come) not in {None, 0, os.geteuid()}:
            come.close()
            return None
        return come

    def close(self) -> None:
        """Listen no more, and remove the file; in a child of a fork the file is the parent's."""
        self._listening.close()
        if self._pid == os.getpid():
            with suppress(OSError), opened(self._directory) as there:
                os.unlink(there.named(self.name), dir_fd=there.descriptor)

    def _bind(self, there: OpenDirectory) -> None:
        draft = _DRAFT + self.name
        self._listening.bind(_address(there, draft))
        os.chmod(there.named(draft), SOCKET_MODE, dir_fd=there.descriptor)
        self._listening.listen(16)
        os.rename(there.named(draft), there.named(self.name), src_dir_fd=there.descriptor, dst_dir_fd=there.descriptor)


def names_in(directory: Path) -> list[str]:
    """Return the names of the sockets in a directory; none where there is no directory.

    Raises:
        ForeignError: Others can write to it, or it is another user's.
    """
    try:
        with opened(directory, for_owner=True) as there:
            listed = os.listdir(directory if there.descriptor is None else there.descriptor)  # noqa: PTH208
    except FileNotFoundError:
        return []
    return sorted(name for name in listed if name.endswith(SUFFIX) and not name.startswith(_DRAFT))


def connect(directory: Path, name: str) -> socket.socket | None:
    """Return a connection to a socket of this user's; None where nobody listens there any more.

    Raises:
        ForeignError: The directory or the socket is not this user's.
    """
    with opened(directory, for_owner=True) as there:
        return _connected(there, name)


def peer_uid(connection: socket.socket) -> int | None:
    """Return the user at the other end of a connection; None where the system does not say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    _, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return int(uid)


def _connected(there: OpenDirectory, name: str) -> socket.socket | None:
    try:
        status = there.stat(name)
    except FileNotFoundError:
        return None
    if not stat.S_ISSOCK(status.st_mode) or status.st_uid != there.trust.uid:
        raise ForeignError(there.path / name, "it is no socket of this user")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(_address(there, name))
        if peer_uid(connection) not in {None, status.st_uid}:
            raise ForeignError(there.path / name, "another user listens there")
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        return None
    except OSError:
        connection.close()
        raise
    return connection


def _sweep(there: OpenDirectory) -> None:
    """Remove the sockets on which nobody listens any more."""
    for name in os.listdir(there.path if there.descriptor is None else there.descriptor):  # noqa: PTH208
        with suppress(OSError):
            if name.startswith(_DRAFT):
                is_over = time.time() - there.stat(name).st_mtime > _DRAFT_AGE_S
            else:
                is_over = name.endswith(SUFFIX) and _is_dead(there, name)
            if is_over:
                os.unlink(there.named(name), dir_fd=there.descriptor)


def _is_dead(there: OpenDirectory, name: str) -> bool:
    found = _connected(there, name)
    if found is not None:
        found.close()
    return found is None


def _address(there: OpenDirectory, name: str) -> str:
    if _BY_DESCRIPTOR and there.descriptor is not None:
        return f"/proc/self/fd/{there.descriptor}/{name}"
    return str(there.path / name)
