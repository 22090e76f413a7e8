"""An OTLP end over gRPC that answers as a test says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc


class _Handler(grpc.GenericRpcHandler):
    def __init__(
        self, code: grpc.StatusCode, seen: list[dict[str, str]], wait: Callable[[], object], only: str
    ) -> None:
        self._code, self._seen, self._wait, self._only = code, seen, wait, only

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """Answer every export."""
        method = handler_call_details.method
        if not method.endswith("Service/Export") or f".{self._only}" not in method:
            return None

        def export(_: bytes, context: grpc.ServicerContext) -> bytes:
            self._seen.append({str(name): str(value) for name, value in context.invocation_metadata()})
            self._wait()
            if self._code is not grpc.StatusCode.OK:
                context.abort(self._code, "as the test asked")
            return b""

        return grpc.unary_unary_rpc_method_handler(export, request_deserializer=bytes, response_serializer=bytes)


@contextmanager
def grpc_end(
    code: grpc.StatusCode = grpc.StatusCode.OK,
    *,
    tls: tuple[Path, Path] | None = None,
    wait: Callable[[], object] = lambda: None,
    only: str = "",
) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Yield the port of an end, and the metadata of what it gets.

    Args:
        code: What it answers.
        tls: The files of its key and certificate.
        wait: Called before it answers.
        only: The signal whose service it has, as OTLP calls it; empty for all.
    """
    seen: list[dict[str, str]] = []
    server = grpc.server(ThreadPoolExecutor(2), handlers=[_Handler(code, seen, wait, only)])
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = (tls[0].read_bytes(), tls[1].read_bytes())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        yield port, seen
    finally:
        server.stop(0).wait()


def files_of(context: ssl.SSLContext, folder: Path) -> tuple[Path, Path]:
    """Return the files that an `Authority` in `folder` has made for `context`, the last that it made."""
    assert context is not None
    return folder / "new.key", folder / "server.pem"
