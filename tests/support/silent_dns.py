"""A machine whose DNS does not answer, for real: a command sees another `/etc/resolv.conf` than everybody else."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from needs import lacking

_ADDRESS = "127.0.0.77"


@contextmanager
def silent_dns(folder: Path) -> Iterator[list[str]]:
    """Yield what stands before a command that is to ask a DNS which never answers; skip where that is not allowed.

    Args:
        folder: Takes the file that names it.
    """
    if os.geteuid() != 0:
        pytest.skip("a mount of a command's own needs root: a resolver of the test's own is what hangs elsewhere")
    if shutil.which("unshare") is None:
        lacking("unshare is not on this machine: a DNS that hangs")
    path = folder / "resolv.conf"
    path.write_text(f"nameserver {_ADDRESS}\noptions timeout:30 attempts:5\n", encoding="ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((_ADDRESS, 53))
        mounting = f'mount --bind "{path}" /etc/resolv.conf && exec "$@"'
        yield ["unshare", "-m", "sh", "-c", mounting, "sh"]
