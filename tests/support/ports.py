"""Ports for servers that do not tell which one they got."""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from functools import cache
from pathlib import Path

# Below those that systems give to whoever asks for any (Linux from 32,768 on, others from 49,152), so that no outgoing
# connection takes one between the look and its use; and for each of the processes that run tests side by side another.
_FIRST, _FOR_EACH = 21_000, 700
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
# From elsewhere in each run, since what a run before has just closed may linger.
_next = itertools.count(os.getpid())


def free_port() -> int:
    """Return a port on which nobody listens just now, and that no other test asks for, of other runs neither."""
    while True:
        port = _FIRST + _WORKER * _FOR_EACH + next(_next) % _FOR_EACH
        if not _is_ours(port):
            continue
        with socket.socket() as found:
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _is_ours(port: int) -> bool:
    """Return whether this run has `port` from now until it ends: a server may come to it much later."""
    try:
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _locks() -> int:
    # One byte for each port. Locks are a process's own: it may have one again, and children have none.
    path = Path(tempfile.gettempdir()) / f"otel-posthog-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
