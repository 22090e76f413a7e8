"""Ports for servers that do not tell which one they got."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port on which nobody listens just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
