"""Servers that do not work, for real: silent, full, closing, redirecting, and a proxy that sends hosts elsewhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.client import HTTPConnection
from urllib.parse import urlsplit

from otel_posthog.testing.server import Answer, LocalServer

_LOOK_S = 0.05


@contextmanager
def _serving(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """Yield the port of a server that gives each connection to `handle`, and holds it open until the end."""
    held, stop = list[socket.socket](), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(_LOOK_S)

        def serve() -> None:
            while not stop.is_set():
                with suppress(OSError):
                    connection, _ = listening.accept()
                    held.append(connection)
                    handle(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stop.set()
            thread.join(5)
            for each in held:
                each.close()


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with _serving(lambda _: None) as port:
        yield port


@contextmanager
def closing() -> Iterator[int]:
    """A server that reads what comes and closes the connection."""

    def close(connection: socket.socket) -> None:
        connection.settimeout(1)
        connection.recv(65536)
        connection.close()

    with _serving(close) as port:
        yield port


@contextmanager
def endless(begin: bytes, again: bytes, every_s: float) -> Iterator[int]:
    """A server that answers with `begin`, and with `again` for ever after.

    Args:
        begin: What comes at once.
        again: What comes then, and again.
        every_s: How long it waits in between.
    """
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.settimeout(5)
            connection.recv(65536)
            connection.sendall(begin)
            while not over.wait(every_s):
                connection.sendall(again)

    def handle(connection: socket.socket) -> None:
        threading.Thread(target=answer, args=(connection,), daemon=True).start()

    try:
        with _serving(handle) as port:
            yield port
    finally:
        over.set()


@contextmanager
def blocked() -> Iterator[int]:
    """A port whose queue is full: the system drops what comes, as a firewall does."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        waiting = []
        for _ in range(4):
            each = socket.socket()
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(("127.0.0.1", port))
            waiting.append(each)
        try:
            yield port
        finally:
            for each in waiting:
                each.close()


class Dated(LocalServer):
    """Answers everything in the same way, at a time of its own.

    Args:
        answer: What is answered.
        ahead_s: By how much its clock is ahead.
    """

    def __init__(self, answer: Callable[[bytes], Answer], ahead_s: float) -> None:
        super().__init__()
        self._answered, self.ahead_s = answer, ahead_s

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer."""
        return self._answered(body)

    def _handler(self) -> type:
        ahead_s, handler = self.ahead_s, super()._handler()

        class Handler(handler):  # type: ignore[misc, valid-type]
            def date_time_string(self, timestamp: float | None = None) -> str:
                import time  # noqa: PLC0415

                return formatdate((timestamp or time.time()) + ahead_s, usegmt=True)

        return Handler


class Proxy(LocalServer):
    """An HTTP proxy that takes hosts for servers of the test's.

    Args:
        servers: URL by host.
    """

    def __init__(self, servers: Mapping[str, str]) -> None:
        super().__init__()
        self._servers = servers

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Hand a request on, and the answer back."""
        parts = urlsplit(path)
        url = self._servers.get(parts.hostname or "")
        if url is None:
            return Answer(502)
        connection = HTTPConnection(urlsplit(url).netloc)
        plain = {name: value for name, value in headers.items() if name not in {"content-encoding", "content-length"}}
        connection.request("POST", parts.path, body, plain)
        response = connection.getresponse()
        try:
            return Answer(response.status, response.read(), response.headers.get("content-type", ""))
        finally:
            connection.close()
