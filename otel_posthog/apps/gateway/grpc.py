"""The receiver of OTLP/gRPC (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc), on the event loop.

The services are registered by name, as the generated code would: that code comes with grpcio versions of its own. A
unary call of the sender is a stream of one message here: nothing of a stream is received before it is asked for, so
that a call is judged by its headers. Messages arrive compressed, and are inflated where bodies of HTTP are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio

from otel_posthog.apps.gateway.memory import Reservation
from otel_posthog.apps.gateway.responses import Refusal, export_response, grpc_failure
from otel_posthog.apps.gateway.service import ExportRequest, Service
from otel_posthog.intake.otlp.protobuf import Kind

_SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}
# An export request begins with the tag of its only field, so that none is taken for compressed.
_MAGIC = {b"\x1f\x8b": "gzip", b"\x78": "deflate"}
# Of an idle connection. None of those is closed to make room for another, as on HTTP: there is room after this.
_IDLE_MS = 10_000
_STREAMS_OF_A_CONNECTION = 128

_Context = grpc.aio.ServicerContext[Any, Any]


class GrpcReceiver:
    """Answers OTLP/gRPC; made and used on the event loop.

    Args:
        service: What both receivers share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        options = service.options
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", options.max_body_bytes),
                ("grpc.per_message_decompression", 0),
                # Without it a connection's window does not grow with what a sender sends.
                ("grpc.http2.bdp_probe", 0),
                ("grpc.max_concurrent_streams", _STREAMS_OF_A_CONNECTION),
                ("grpc.max_allowed_incoming_connections", options.max_connections),
                ("grpc.server_handshake_timeout_ms", round(options.header_timeout_s * 1000)),
                ("grpc.max_connection_idle_ms", _IDLE_MS),
                # Several workers listen on one port.
                ("grpc.so_reuseport", int(options.workers > 1)),
            ],
        )
        self._server.add_generic_rpc_handlers(
            tuple(self._handler(name, service.consumer.kinds[signal]) for name, signal in _SERVICES.items())
        )
        host = f"[{options.host}]" if ":" in options.host else options.host
        self._server.add_insecure_port(f"{host}:{options.grpc_port}")

    async def start(self) -> None:
        """Listen."""
        await self._server.start()

    async def stop(self) -> None:
        """Take nothing more, and answer what is there."""
        await self._server.stop(self._service.options.stop_timeout_s)

    def _handler(self, name: str, kind: Kind | None) -> grpc.GenericRpcHandler:
        async def export(_: AsyncIterator[bytes], context: _Context) -> bytes:
            return await self._export(f"{name}/Export", kind, context)

        return grpc.method_handlers_generic_handler(name, {"Export": grpc.stream_unary_rpc_method_handler(export)})

    async def _export(self, method: str, kind: Kind | None, context: _Context) -> bytes:
        start, answer, failure = time.perf_counter(), b"", None
        try:
            answer = await self._answered(kind, context)
        except Refusal as refusal:
            # Not the error itself: with its frames it is a cycle, which would keep the message for a while.
            failure = grpc_failure(refusal)
        except Exception as error:
            failure = grpc_failure(self._service.failed(error))
        code = failure[0] if failure else grpc.StatusCode.OK
        self._service.telemetry.call(method, code.name, time.perf_counter() - start)
        if failure:
            await context.abort(*failure)
        return answer

    async def _answered(self, kind: Kind | None, context: _Context) -> bytes:
        metadata = {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}
        host, port = _peer(context.peer())
        with self._service.admitted(metadata.get("authorization"), host, port, "metadata authorization") as memory:
            body = await self._received(context, memory)
            if kind is None:
                return b""
            encoding = next((name for magic, name in _MAGIC.items() if body.startswith(magic)), "")
            outcome = await self._service.export(ExportRequest(kind, body, encoding), memory, context.time_remaining())
            return bytes(export_response(kind, outcome).SerializeToString())

    async def _received(self, context: _Context, memory: Reservation) -> bytes:
        """Return the call's one message, for the longest of which there is room before it is asked for."""
        options, begun = self._service.options, time.monotonic()
        await memory.reserve_in_time(options.max_body_bytes, options.body_timeout_s)
        try:
            left_s = options.body_timeout_s - (time.monotonic() - begun)
            body = await asyncio.wait_for(context.read(), max(0.0, left_s))
        except asyncio.TimeoutError:
            raise Refusal(408, f"the message did not arrive within {options.body_timeout_s:g} s") from None
        if not isinstance(body, bytes):
            raise Refusal(400, "a call must hold one message")
        memory.release(options.max_body_bytes - len(body))
        return body


def _peer(text: str) -> tuple[str, int]:
    """Return address and port of what gRPC calls a peer: `ipv4:127.0.0.1:1`, `ipv6:[::1]:1` or `ipv6:%5B::1%5D:1`."""
    host, _, port = unquote(text).partition(":")[2].rpartition(":")
    return host.strip("[]"), int(port) if port.isdigit() else 0
