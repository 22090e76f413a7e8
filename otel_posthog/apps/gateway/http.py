"""OTLP/HTTP: an ASGI application. Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp.

The event loop receives, what may be received by its headers; what costs time is done by the worker process's one
working thread, so that health is answered meanwhile.
"""

from __future__ import annotations

import time
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Lifespan

from otel_posthog.apps.gateway.answers import JSON, PROTOBUF, accepted, refused
from otel_posthog.apps.gateway.body import receive
from otel_posthog.apps.gateway.host import is_this_machine
from otel_posthog.apps.gateway.receiver import Taken
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.apps.gateway.service import Sent, Service
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
        options, headers = self._service.options, request.headers
        if request.scope["server"] and request.scope["server"][1] == options.health_port:
            raise Refusal(404, "this port answers health only")
        if self._service.checks_host and not is_this_machine(headers.get("host", "")):
            raise Refusal(421, "the header Host must name this machine: localhost, 127.0.0.1 or [::1]")
        host, port = request.client or ("", 0)
        with self._service.admitted(headers.get("authorization"), host, port, "header Authorization") as share:
            media_type = _media_type(request)
            if media_type not in {PROTOBUF, JSON}:
                raise Refusal(415, f"Content-Type must be {PROTOBUF} or {JSON}")
            body = await receive(
                request.stream(),
                _declared(request),
                max_bytes=options.max_body_bytes,
                timeout_s=options.body_timeout_s,
                share=share,
            )
            if kind is None:
                return accepted(kind, Taken(), media_type)
            encoding = headers.get("content-encoding", "").strip().lower()
            taken = await self._service.take(Sent(kind, body, encoding, media_type == JSON), share)
            return accepted(kind, taken, media_type)

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
