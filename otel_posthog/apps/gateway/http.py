"""The receiver of OTLP/HTTP: an ASGI application and its connections.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp. The event loop judges a request by its headers and receives
its body; what takes CPU time is done by the scheduler's thread, so that health is answered meanwhile. uvicorn has no
time limit for headers, and counts connections that have sent nothing among those that it allows, so that some hundred
of them would close the server for everybody; `Connection` has both limits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Lifespan
from uvicorn.protocols.http.h11_impl import H11Protocol

from otel_posthog.apps.gateway.access import is_this_machine
from otel_posthog.apps.gateway.memory import Reservation
from otel_posthog.apps.gateway.responses import (
    JSON,
    PROTOBUF,
    ExportOutcome,
    Refusal,
    http_failure,
    http_success,
    too_large,
)
from otel_posthog.apps.gateway.service import ExportRequest, Service
from otel_posthog.intake.otlp.protobuf import Kind

_CORS_SECONDS = 86_400
# Beyond those that requests may be on: for health, and for an answer that says to retry.
_SPARE = 32


class HttpReceiver:
    """Answers OTLP/HTTP, and requests for health.

    Args:
        service: What both receivers share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def application(self, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
        """Return the ASGI application.

        Args:
            lifespan: What is to be done at its start and end.
        """
        exports = [
            Route(f"/v1/{signal}", partial(self._export, kind), methods=["POST"])
            for signal, kind in self._service.consumer.kinds.items()
        ]
        health = [
            Route("/healthz", self._alive, methods=["GET"]),
            Route("/readyz", self._ready, methods=["GET"]),
        ]
        middleware = []
        if self._service.options.cors_origins:
            cors = Middleware(
                CORSMiddleware,
                allow_origins=list(self._service.options.cors_origins),
                allow_methods=["POST"],
                allow_headers=["authorization", "content-type", "content-encoding", "traceparent", "tracestate"],
                expose_headers=["retry-after"],
                max_age=_CORS_SECONDS,
            )
            middleware.append(cors)
        return Starlette(routes=[*exports, *health], middleware=middleware, lifespan=lifespan)

    async def _export(self, kind: Kind | None, request: Request) -> Response:
        start = time.perf_counter()
        media_type = JSON if _media_type(request) == JSON else PROTOBUF
        try:
            answer = await self._answered(kind, request)
        except Refusal as refusal:
            answer = http_failure(refusal, media_type)
        except ClientDisconnect:
            answer = http_failure(Refusal(400, "the sender went away"), media_type)
        except Exception as error:
            answer = http_failure(self._service.failed(error), media_type)
        self._service.telemetry.request(request.url.path, answer.status_code, time.perf_counter() - start)
        return answer

    async def _answered(self, kind: Kind | None, request: Request) -> Response:
        options, headers = self._service.options, request.headers
        if request.scope["server"] and request.scope["server"][1] == options.health_port:
            raise Refusal(404, "this port answers health only")
        if self._service.checks_host and not is_this_machine(headers.get("host", "")):
            raise Refusal(421, "the header Host must name this machine: localhost, 127.0.0.1 or [::1]")
        host, port = request.client or ("", 0)
        with self._service.admitted(headers.get("authorization"), host, port, "header Authorization") as memory:
            media_type = _media_type(request)
            if media_type not in {PROTOBUF, JSON}:
                raise Refusal(415, f"Content-Type must be {PROTOBUF} or {JSON}")
            body = await _receive(
                request.stream(),
                _declared(request),
                max_bytes=options.max_body_bytes,
                timeout_s=options.body_timeout_s,
                memory=memory,
            )
            if kind is None:
                return http_success(kind, ExportOutcome(), media_type)
            encoding = headers.get("content-encoding", "").strip().lower()
            outcome = await self._service.export(ExportRequest(kind, body, encoding, media_type == JSON), memory)
            return http_success(kind, outcome, media_type)

    async def _alive(self, _: Request) -> Response:
        return Response('{"status":"alive"}', 200, media_type=JSON)

    async def _ready(self, _: Request) -> Response:
        is_ready = self._service.consumer.is_ready
        status = "ready" if is_ready else "events cannot be kept now: the spool is full or cannot be written"
        return Response(f'{{"status":"{status}"}}', 200 if is_ready else 503, media_type=JSON)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _declared(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None


async def _receive(
    chunks: AsyncIterator[bytes], declared_bytes: int | None, *, max_bytes: int, timeout_s: float, memory: Reservation
) -> bytes:
    """Return a request's body as it was sent.

    Args:
        chunks: Of the body.
        declared_bytes: What `Content-Length` says.
        max_bytes: The longest that is taken.
        timeout_s: How long it may take to arrive.
        memory: What the body may take.

    Raises:
        Refusal: It is too long, too slow, or there are too many others.
    """
    if declared_bytes is not None and declared_bytes > max_bytes:
        raise too_large("body", max_bytes)
    received = bytearray()
    try:
        await asyncio.wait_for(_collect(chunks, received, max_bytes, memory), timeout_s)
    except asyncio.TimeoutError:
        raise Refusal(408, f"the body did not arrive within {timeout_s:g} s") from None
    return bytes(received)


async def _collect(chunks: AsyncIterator[bytes], received: bytearray, max_bytes: int, memory: Reservation) -> None:
    async for chunk in chunks:
        if len(received) + len(chunk) > max_bytes:
            raise too_large("body", max_bytes)
        memory.reserve(len(chunk))
        received += chunk


class Connection(H11Protocol):
    """A connection that is closed where no request comes on it in time, or where it is idle and others need its place.

    Its limits are set on the class, since it is uvicorn that makes connections.
    """

    max_connections: ClassVar[int] = 512
    header_timeout_s: ClassVar[float] = 5.0
    health_port: ClassVar[int | None] = None
    _idle: ClassVar[dict[Connection, None]] = {}
    """Those without a request, the longest idle first."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, that of the longest idle connection where there is none left."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections + _SPARE and not self._is_for_health:
            longest = next(iter(self._idle), self)
            longest.give_up()
            if longest is self:
                return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the place."""
        self._forget()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Handle what has arrived; the time limit is off from a request's headers to its answer."""
        super().handle_events()
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._forget()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of an unread one, no longer than the limit."""
        self._wait()
        super().on_response_complete()

    def give_up(self) -> None:
        """Close the connection, whatever is on its way."""
        self._forget()
        if not self.transport.is_closing():
            self.transport.abort()

    @property
    def _is_for_health(self) -> bool:
        return self.server is not None and self.server[1] == self.health_port

    def _wait(self) -> None:
        self._forget()
        if not self._is_for_health:
            self._idle[self] = None
        self._timer = self.loop.call_later(self.header_timeout_s, self.give_up)

    def _forget(self) -> None:
        self._idle.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
