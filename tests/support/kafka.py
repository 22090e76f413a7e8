"""A real Apache Kafka broker, fetched once by `.ci/fetch-kafka`, as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from needs import needs
from ports import free_port
from processes import Tree, running

ROOT = Path(__file__).resolve().parents[2]
FETCH_TIMEOUT_S, READY_TIMEOUT_S = 600, 60
_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
num.partitions=2
"""
"""As Kafka comes, but for what it needs to be alone; a message may have 1 MB."""


@cache
def jars() -> str:
    """Return the class path of the broker, fetched the first time."""
    needs("java", "it runs Kafka")
    needs("mvn", "it fetches Kafka")
    done = subprocess.run(
        [str(ROOT / ".ci" / "fetch-kafka")], capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    return f"{done.stdout.strip()}/*"


class Broker:
    """A broker, and a place for its messages, which it keeps when it is run again.

    Args:
        folder: For its settings and data.
    """

    _running: ExitStack
    _tree: Tree

    def __init__(self, folder: Path) -> None:
        self._port, self._folder = free_port(), folder
        self._settings = folder / "server.properties"
        self._settings.write_text(_SETTINGS.format(port=self._port, controller=free_port(), folder=folder))
        self._java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", str(self._settings))

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._port}"

    @contextmanager
    def run(self) -> Iterator[None]:
        """Run it, from here or a restart on, and wait until it answers."""
        with ExitStack() as self._running:
            self._start()
            yield

    @contextmanager
    def away(self) -> Iterator[None]:
        """Kill it, as no warning does; at the end it is there again, with what it had."""
        self._tree.end(signal.SIGKILL)
        yield
        self._start()

    def make(self, *topics: str) -> None:
        """Make topics: who asks for one that is not there looks again seconds later."""
        names = b"".join(struct.pack(">h", len(each)) + each.encode() for each in topics)
        # A request for metadata, of the version in which the last byte says that topics are made.
        request = struct.pack(">hhihi", 3, 4, 1, 0, len(topics)) + names + b"\1"
        with socket.create_connection(("127.0.0.1", self._port), READY_TIMEOUT_S) as to:
            to.sendall(struct.pack(">i", len(request)) + request)
            assert to.recv(4)

    def _start(self) -> None:
        environ = {**os.environ, "LOG_DIR": str(self._folder)}
        words = (*_words(), "kafka.Kafka", str(self._settings))
        self._tree = tree = self._running.enter_context(running(*words, environ=environ, cwd=self._folder))
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._listens():
            assert time.monotonic() < deadline, tree.out
            assert tree.process.poll() is None, tree.out
            time.sleep(0.1)

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 1):
                return True
        except OSError:
            return False

    def _java(self, *words: str) -> None:
        done = subprocess.run(
            [*_words(), *words], capture_output=True, text=True, check=False, timeout=READY_TIMEOUT_S, cwd=self._folder
        )
        assert done.returncode == 0, done.stderr


def _words() -> list[str]:
    return [needs("java", "it runs Kafka"), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", jars()]
