"""A real HTTP server on 127.0.0.1 that tests start and stop; `FakePostHog` and `OtlpSink` are made of it."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BufferedIOBase
from types import TracebackType
from typing import Any

from typing_extensions import Self

# Far more than a thread takes to end; a test then fails instead of hanging.
STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request that arrived.

    Attributes:
        path: Without the host.
        headers: By lowercase name.
        body: Decompressed.
        status: What was answered; 0 where nothing was.
        received_at: Monotonic seconds.
    """

    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    received_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer; a status of 0 closes the connection without an answer."""

    status: int
    body: bytes = b"{}"
    content_type: str = "application/json"
    retry_after: str | None = None


class LocalServer:
    """A threading HTTP server with a record of what arrived.

    Args:
        port: 0 takes a free one.
        tls: Speak HTTPS with this certificate.
    """

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._port, self._tls = port, tls
        self._http: _Server | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self.requests: list[RecordedRequest] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def raw_bytes(self) -> bytes:
        """Every request line, header and decompressed body that arrived, for tests that search for planted values."""
        parts: list[bytes] = []
        for request in tuple(self.requests):
            parts.append(request.path.encode())
            parts.extend(f"{name}: {value}".encode() for name, value in request.headers.items())
            parts.append(request.body)
        return b"\n".join(parts)

    def start(self) -> Self:
        """Listen; the port stays the same after a stop."""
        self.stopping.clear()
        self._http = _Server(("127.0.0.1", self._port), self._handler())
        self._port = self._http.server_address[1]
        if self._tls:
            # The handshake is for the connection's own thread, at its first read.
            self._http.socket = self._tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, name=type(self).__name__, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, end hanging requests, wait for the others; what arrived is kept."""
        self.stopping.set()
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(STOP_TIMEOUT_S)
        self._http = self._thread = None

    pause = stop
    resume = start

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Handle one request, on a thread of its own."""
        raise NotImplementedError

    def wait_until(self, is_true: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `is_true()` or the time is up; return which."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not is_true():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.05))
        return True

    def _handle(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        received_at = time.monotonic()
        try:
            plain = inflate(body, headers.get("content-encoding", ""))
            answer = self.answer(path, headers, plain)
        except (OSError, zlib.error, EOFError):
            plain, answer = body, Answer(400, b'{"error": "the body cannot be decompressed"}')
        except Exception as error:
            # Else the client would only see its connection close, and the test's author nothing.
            plain, answer = body, Answer(500, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        with self._changed:
            self.requests.append(RecordedRequest(path, headers, plain, answer.status, received_at))
            self._changed.notify_all()
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        handle = self._handle

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    self._send(handle(self.path, headers, _body(self.rfile, headers)))
                except OSError:
                    self.close_connection = True  # the client went away first

            def _send(self, answer: Answer) -> None:
                if not answer.status:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                if answer.retry_after is not None:
                    self.send_header("Retry-After", answer.retry_after)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                """Write nothing: standard error is the test's."""

        return Handler


class _Server(HTTPServer):
    """Handles each connection on a thread of its own, and keeps track of both.

    A stop ends the connections that clients keep alive and waits for the threads; a program that never stops its
    server can end all the same, which the standard library's threading server allows only without the wait.
    """

    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        self._open[request] = thread
        thread.start()

    def server_close(self) -> None:
        super().server_close()
        for connection, thread in list(self._open.items()):
            with suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(STOP_TIMEOUT_S)

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)
            self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error: these tests are about clients that go away in the middle."""


def _body(stream: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """Read a request's body, of a declared length or in chunks (RFC 9112, 7.1)."""
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return stream.read(int(headers.get("content-length", "0")))
    chunks = []
    while size := int(stream.readline().partition(b";")[0], 16):
        chunks.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():
        pass  # trailers
    return b"".join(chunks)


def inflate(body: bytes, encoding: str) -> bytes:
    """Return `body` without its content encoding.

    Raises:
        OSError: It is no gzip.
        zlib.error: It is no deflate.
    """
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        import zstandard  # noqa: PLC0415 - senders rarely use it, and it comes with an extra

        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body
