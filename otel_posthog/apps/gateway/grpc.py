"""OTLP/gRPC. Source: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc.

The services are registered by name, as the generated code would: that code comes with grpcio versions of its own.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from otel_posthog.apps.gateway.answers import proto
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.apps.gateway.service import Service, readable
from otel_posthog.intake.otlp_proto import LOGS, TRACES, Kind

# They only wait for the one that does the work.
_THREADS = 8
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""Of these senders come again after `UNAVAILABLE` only: https://opentelemetry.io/docs/specs/otlp/#failures."""

_SERVICES: dict[str, Kind | None] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": TRACES,
    "opentelemetry.proto.collector.logs.v1.LogsService": LOGS,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": None,
}


class GrpcDoor:
    """What answers OTLP/gRPC.

    Args:
        service: What the worker is made of.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, thread_name_prefix="otel-posthog-grpc"),
            handlers=[self._handler(name, kind) for name, kind in _SERVICES.items()],
            options=[
                ("grpc.max_receive_message_length", service.options.max_inflated_bytes),
                # Several workers listen on one port.
                ("grpc.so_reuseport", int(service.options.workers > 1)),
            ],
            maximum_concurrent_rpcs=service.options.max_connections,
        )
        host = service.options.host
        host = f"[{host}]" if ":" in host else host
        self._server.add_insecure_port(f"{host}:{service.options.grpc_port}")

    def start(self) -> None:
        """Listen."""
        self._server.start()

    def stop(self) -> None:
        """Take nothing more, and answer what is there."""
        self._server.stop(self._service.options.stop_timeout_s).wait()

    def _handler(self, name: str, kind: Kind | None) -> grpc.GenericRpcHandler:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            return self._export(f"{name}/Export", kind, body, context)

        return grpc.method_handlers_generic_handler(name, {"Export": grpc.unary_unary_rpc_method_handler(export)})

    def _export(self, method: str, kind: Kind | None, body: bytes, context: grpc.ServicerContext) -> bytes:
        start, refusal = time.perf_counter(), None
        try:
            answer = self._answered(kind, body, context)
        except Refusal as error:
            answer, refusal = b"", error
        except Exception as error:
            answer, refusal = b"", self._service.failed(error)
        code = grpc.StatusCode.OK if refusal is None else CODES[refusal.status]
        self._service.telemetry.call(method, code.name, time.perf_counter() - start)
        if refusal is not None:
            context.abort_with_status(_status(refusal))
        return answer

    def _answered(self, kind: Kind | None, body: bytes, context: grpc.ServicerContext) -> bytes:
        metadata = {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}
        if not self._service.tokens.allow(metadata.get("authorization")):
            raise Refusal(401, "a bearer token that this gateway knows is needed in the metadata authorization")
        if kind is None:
            return b""
        take = partial(self._service.receiver.take_proto, body, kind)
        taken = self._service.executor.submit(readable, take).result()
        self._service.settle(taken)
        return bytes(proto(kind, taken).SerializeToString())


@dataclass(frozen=True, slots=True)
class _Status(grpc.Status):
    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


def _status(refusal: Refusal) -> grpc.Status:
    """Return the status of a refusal; one after which to come again says when, by a `RetryInfo`."""
    code = CODES[refusal.status]
    status = Status(code=code.value[0], message=refusal.message)
    if refusal.retry_after_s is not None:
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=refusal.retry_after_s)))
    # As grpcio-status would: https://grpc.io/docs/guides/error/#richer-error-model
    return _Status(code, refusal.message, (("grpc-status-details-bin", status.SerializeToString()),))
