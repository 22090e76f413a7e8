"""What an HTTP request is answered, in the encoding that it came in.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response: success and partial success are the signal's
response message, a failure is a `Status` whose `code` need not be set.
"""

from __future__ import annotations

import json
from typing import Any

from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.responses import Response

from otel_posthog.apps.gateway.receiver import Taken
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.intake.otlp_proto import TRACES, Kind

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def accepted(kind: Kind | None, taken: Taken, media_type: str) -> Response:
    """Return the answer to a request that the sender may forget.

    Args:
        kind: Of the request; None for metrics.
        taken: What became of it.
        media_type: `PROTOBUF` or `JSON`.
    """
    rejected = sum(taken.rejected.values())
    if media_type == JSON:
        name = "rejectedSpans" if kind is TRACES else "rejectedLogRecords"
        # 64 bits are decimal strings in protobuf's JSON.
        partial = {"partialSuccess": {name: str(rejected), "errorMessage": taken.message}}
        return Response(json.dumps(partial if rejected else {}), 200, media_type=JSON)
    return Response(proto(kind, taken).SerializeToString() if kind else b"", 200, media_type=PROTOBUF)


def proto(kind: Kind, taken: Taken) -> Any:
    """Return the response message of `kind`."""
    rejected = sum(taken.rejected.values())
    if kind is TRACES:
        traces = ExportTraceServiceResponse()
        if rejected:
            traces.partial_success.rejected_spans = rejected
            traces.partial_success.error_message = taken.message
        return traces
    logs = ExportLogsServiceResponse()
    if rejected:
        logs.partial_success.rejected_log_records = rejected
        logs.partial_success.error_message = taken.message
    return logs


def refused(refusal: Refusal, media_type: str) -> Response:
    """Return the answer to a request that is not taken."""
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if media_type == PROTOBUF:
        body = Status(message=refusal.message).SerializeToString()
        return Response(body, refusal.status, headers, media_type=PROTOBUF)
    return Response(json.dumps({"message": refusal.message}), refusal.status, headers, media_type=JSON)
