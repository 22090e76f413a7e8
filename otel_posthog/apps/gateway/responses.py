"""What a request is answered, over both protocols: success, partial success, or a refusal that says why.

Success and partial success are the signal's response message, a failure over HTTP is a `Status` whose `code` need not
be set (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). An answer never holds a value of the request.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToJson
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.responses import Response

from otel_posthog.intake.otlp.protobuf import LOGS, METRICS, TRACES, Kind

PROTOBUF, JSON = "application/x-protobuf", "application/json"


CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNIMPLEMENTED,
    408: grpc.StatusCode.INVALID_ARGUMENT,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.UNAVAILABLE,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.UNAVAILABLE,
}
"""Of these senders retry after `UNAVAILABLE` only: https://opentelemetry.io/docs/specs/otlp/#failures."""
_SERVER_ERROR = 500

_RESPONSES: dict[Kind, tuple[type[Any], str]] = {
    TRACES: (ExportTraceServiceResponse, "rejected_spans"),
    LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    METRICS: (ExportMetricsServiceResponse, "rejected_data_points"),
}


@dataclass(slots=True)
class ExportOutcome:
    """What became of one request.

    Attributes:
        is_kept: Whether the sender may forget it: all its events are on disk, or dropped for good.
        items: Spans or log records that could be read.
        operational: Those in which there is no product event.
        rejected: Items, or events of theirs, that can never be taken, by reason; retrying is of no use.
        first_problem: What is wrong with the first malformed item: its field, and what that must be.
        content: What is left of the request, for a backend; None where nothing is.
        answer: What the backend has answered to it.
    """

    is_kept: bool = True
    items: int = 0
    operational: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    first_problem: str = ""
    content: bytes | None = None
    answer: Any = None

    @property
    def message(self) -> str:
        """What the answer says of what was rejected, without a value; empty where nothing was."""
        if not self.rejected:
            return ""
        listed = ", ".join(f"{reason} {number}" for reason, number in sorted(self.rejected.items()))
        return f"{listed}; first malformed: {self.first_problem}" if self.first_problem else listed


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """Why a request is not taken, and what to do about it; never a value of the request.

    Args:
        status: Of HTTP. Senders of OTLP retry after 429, 502, 503 and 504, and after no other:
            https://opentelemetry.io/docs/specs/otlp/#failures-1.
        message: For the sender's log.
        retry_after_s: After how many seconds to retry.
    """

    def __init__(self, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        self.status, self.message, self.retry_after_s = status, message, retry_after_s
        super().__init__(message)


def too_large(what: str, max_bytes: int) -> Refusal:
    """Return the refusal of what is longer than `max_bytes`."""
    return Refusal(413, f"the {what} is larger than {max_bytes} bytes; send smaller batches")


def http_success(kind: Kind | None, outcome: ExportOutcome, media_type: str) -> Response:
    """Return the answer over HTTP to a request that the sender may forget.

    Args:
        kind: Of the request; None for metrics.
        outcome: What became of it.
        media_type: `PROTOBUF` or `JSON`.
    """
    if kind is None:
        return Response("{}" if media_type == JSON else b"", 200, media_type=media_type)
    message = export_response(kind, outcome)
    body = MessageToJson(message, indent=None) if media_type == JSON else message.SerializeToString()
    return Response(body, 200, media_type=media_type)


def export_response(kind: Kind, outcome: ExportOutcome) -> Any:
    """Return the response message of `kind`."""
    make, field = _RESPONSES[kind]
    message = make() if outcome.answer is None else outcome.answer
    if outcome.rejected:
        told = message.partial_success
        setattr(told, field, getattr(told, field) + outcome.rejected.total())
        told.error_message = "; ".join(each for each in (outcome.message, told.error_message) if each)
    return message


def response_type(kind: Kind) -> type[Any]:
    """Return the type of the response message of `kind`."""
    return _RESPONSES[kind][0]


def http_failure(refusal: Refusal, media_type: str) -> Response:
    """Return the answer over HTTP to a request that is not taken."""
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if media_type == PROTOBUF:
        body = Status(message=refusal.message).SerializeToString()
        return Response(body, refusal.status, headers, media_type=PROTOBUF)
    return Response(json.dumps({"message": refusal.message}), refusal.status, headers, media_type=JSON)


def grpc_failure(refusal: Refusal) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """Return code, message and trailing metadata of a refused call; when to retry is a `RetryInfo`."""
    # Of a backend there may be any.
    of_server = grpc.StatusCode.INTERNAL if refusal.status >= _SERVER_ERROR else grpc.StatusCode.INVALID_ARGUMENT
    code = CODES.get(refusal.status, of_server)
    status = Status(code=code.value[0], message=refusal.message)
    if refusal.retry_after_s is not None:
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=refusal.retry_after_s)))
    # As grpcio-status would: https://grpc.io/docs/guides/error/#richer-error-model
    return code, refusal.message, (("grpc-status-details-bin", bytes(status.SerializeToString())),)
