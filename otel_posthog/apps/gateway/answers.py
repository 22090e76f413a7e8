"""What an HTTP request is answered, in the encoding that it came in.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response: success and partial success are the signal's
response message, a failure is a `Status` whose `code` need not be set.
"""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.responses import Response

from otel_posthog.apps.gateway.receiver import Taken
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.intake.otlp_proto import LOGS, TRACES, Kind

PROTOBUF, JSON = "application/x-protobuf", "application/json"


_RESPONSES: dict[Kind, tuple[type[Any], str]] = {
    TRACES: (ExportTraceServiceResponse, "rejected_spans"),
    LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
}


def accepted(kind: Kind | None, taken: Taken, media_type: str) -> Response:
    """Return the answer to a request that the sender may forget.

    Args:
        kind: Of the request; None for metrics.
        taken: What became of it.
        media_type: `PROTOBUF` or `JSON`.
    """
    if kind is None:
        return Response("{}" if media_type == JSON else b"", 200, media_type=media_type)
    message = proto(kind, taken)
    body = MessageToJson(message, indent=None) if media_type == JSON else message.SerializeToString()
    return Response(body, 200, media_type=media_type)


def proto(kind: Kind, taken: Taken) -> Any:
    """Return the response message of `kind`."""
    make, field = _RESPONSES[kind]
    message = make()
    if taken.rejected:
        setattr(message.partial_success, field, taken.rejected.total())
        message.partial_success.error_message = taken.message
    return message


def refused(refusal: Refusal, media_type: str) -> Response:
    """Return the answer to a request that is not taken."""
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if media_type == PROTOBUF:
        body = Status(message=refusal.message).SerializeToString()
        return Response(body, refusal.status, headers, media_type=PROTOBUF)
    return Response(json.dumps({"message": refusal.message}), refusal.status, headers, media_type=JSON)
