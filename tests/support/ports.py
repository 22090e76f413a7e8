"""Ports for servers that do not tell which one they got."""

from __future__ import annotations

import itertools
import os
import socket

# Below those that systems give to whoever asks for any (Linux from 32,768 on, others from 49,152), so that no outgoing
# connection takes one between the look and its use; and for each of the processes that run tests side by side another.
_FIRST, _FOR_EACH = 21_000, 700
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16
# From elsewhere in each run, since what a run before has just closed may linger.
_next = itertools.count(os.getpid())


def free_port() -> int:
    """Return a port on which nobody listens just now, and that no other test asks for."""
    while True:
        port = _FIRST + _WORKER * _FOR_EACH + next(_next) % _FOR_EACH
        with socket.socket() as found:
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
