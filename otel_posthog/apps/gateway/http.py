"""OTLP/HTTP: an ASGI application. Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp.

The event loop receives; what costs time is done by the worker process's one working thread, so that health is answered
meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Lifespan

from otel_posthog.apps.gateway.answers import JSON, PROTOBUF, accepted, refused
from otel_posthog.apps.gateway.body import Budget, inflate, receive
from otel_posthog.apps.gateway.receiver import Taken
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.apps.gateway.service import Service, readable
from otel_posthog.intake.otlp_proto import LOGS, TRACES, Kind

_CORS_SECONDS = 86_400
_PATHS: dict[str, Kind | None] = {"/v1/traces": TRACES, "/v1/logs": LOGS, "/v1/metrics": None}


class HttpDoor:
    """What answers OTLP/HTTP.

    Args:
        service: What the worker is made of.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._budget = Budget(service.options.max_waiting_bytes)

    def application(self, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
        """Return the ASGI application.

        Args:
            lifespan: What is to be done at its start and end.
        """
        exports = [Route(path, partial(self._export, kind), methods=["POST"]) for path, kind in _PATHS.items()]
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
            answer = refused(refusal, media_type)
        except ClientDisconnect:
            answer = refused(Refusal(400, "the sender went away"), media_type)
        except Exception as error:
            answer = refused(self._service.failed(error), media_type)
        self._service.telemetry.request(request.url.path, answer.status_code, time.perf_counter() - start)
        return answer

    async def _answered(self, kind: Kind | None, request: Request) -> Response:
        if not self._service.tokens.allow(request.headers.get("authorization")):
            raise Refusal(401, "a bearer token that this gateway knows is needed in the header Authorization")
        media_type = _media_type(request)
        if media_type not in {PROTOBUF, JSON}:
            raise Refusal(415, f"Content-Type must be {PROTOBUF} or {JSON}")
        body = await receive(
            request.stream(),
            _declared(request),
            max_bytes=self._service.options.max_body_bytes,
            timeout_s=self._service.options.body_timeout_s,
            budget=self._budget,
        )
        encoding = request.headers.get("content-encoding", "").strip().lower()
        taken = await self._in_thread(partial(self._take, kind, body, encoding, media_type))
        self._service.settle(taken)
        return accepted(kind, taken, media_type)

    def _take(self, kind: Kind | None, body: bytes, encoding: str, media_type: str) -> Taken:
        if kind is None:
            return Taken()
        inflated = inflate(body, encoding, self._service.options.max_inflated_bytes)
        take = self._service.receiver.take_json if media_type == JSON else self._service.receiver.take_proto
        return readable(partial(take, inflated, kind))

    async def _in_thread(self, call: Callable[[], Taken]) -> Taken:
        return await asyncio.get_running_loop().run_in_executor(self._service.executor, call)

    async def _alive(self, _: Request) -> Response:
        return Response('{"status":"alive"}', 200, media_type=JSON)

    async def _ready(self, _: Request) -> Response:
        is_ready = self._service.receiver.is_ready
        said = "ready" if is_ready else "events cannot be kept now: the spool is full or cannot be written"
        return Response(f'{{"status":"{said}"}}', 200 if is_ready else 503, media_type=JSON)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _declared(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None
