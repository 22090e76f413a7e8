"""The real gateway, as a process of its own."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import with_hex_ids
from ports import free_port
from processes import Tree, running

READY_TIMEOUT_S = 60
TIME_NS = 1_790_000_000_000_000_000
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class Gateway:
    """A running gateway.

    Args:
        tree: Its processes.
        http_port: Of OTLP/HTTP.
        grpc_port: Of OTLP/gRPC; 0 where there is none.
    """

    def __init__(self, tree: Tree, http_port: int, grpc_port: int) -> None:
        self.tree, self.http_port, self.grpc_port = tree, http_port, grpc_port
        self.url = f"http://127.0.0.1:{http_port}"

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET."""
        status, _, body = self.request("GET", path)
        return status, body

    def post(self, path: str, body: bytes, media_type: str = PROTOBUF, **headers: str) -> tuple[int, Any, bytes]:
        """Return status, headers and body of what a POST is answered; `_` in a header's name stands for a dash."""
        return self.request("POST", path, body, {"Content-Type": media_type, **headers})

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, bytes]:
        """Return status, headers and body."""
        given = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        request = urllib.request.Request(self.url + path, body, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def wait_until_ready(self) -> None:
        """Wait until it takes events.

        Raises:
            AssertionError: It does not, in time; with what it wrote.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self.tree.process.poll() is None:
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the gateway is not ready: {self.tree.out}")


@contextmanager
def gateway(
    *arguments: str, posthog: str, directory: Path, http_port: int = 0, grpc: bool = False, **environ: str
) -> Iterator[Gateway]:
    """Run a gateway.

    Args:
        arguments: Further ones.
        posthog: The PostHog host.
        directory: For state and spool.
        http_port: A given one, to come back to; else a free one.
        grpc: Whether OTLP/gRPC is served too.
        environ: Further variables.
    """
    http_port, grpc_port = http_port or free_port(), free_port() if grpc else 0
    command = str(Path(sys.executable).with_name("otel-posthog"))
    words = ["gateway", "--port", str(http_port), "--grpc-port", str(grpc_port), *arguments]
    variables = {
        **os.environ,
        "POSTHOG_API_KEY": "phc_test",
        "POSTHOG_HOST": posthog,
        "OTEL_POSTHOG_STATE_DIR": str(directory / "state"),
        "OTEL_POSTHOG_SPOOL_DIR": str(directory / "spool"),
        **environ,
    }
    with running(command, *words, environ=variables) as tree:
        made = Gateway(tree, http_port, grpc_port)
        made.wait_until_ready()
        yield made


def logs_request(*names: str, first: int = 0, **attributes: str) -> ExportLogsServiceRequest:
    """Return a request with a log-based product event for each of `names`, each a microsecond after the other."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_logs.add()
    for number, name in enumerate(names, first):
        record = scope.log_records.add(event_name=f"analytics.{name}", time_unix_nano=TIME_NS + number * 1000)
        for key, value in attributes.items():
            record.attributes.add(key=key.replace("__", ".")).value.string_value = value
    return request


def spans_request(*names: str) -> ExportTraceServiceRequest:
    """Return a request with a product span for each of `names`, and an operational one."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, name in enumerate(("", *names), 1):
        span = scope.spans.add(name="GET /", trace_id=bytes([number] * 16), span_id=bytes([number] * 8))
        span.end_time_unix_nano = TIME_NS
        if name:
            span.attributes.add(key="analytics.event").value.string_value = name
    return request


def as_json(request: ExportLogsServiceRequest | ExportTraceServiceRequest) -> Any:
    """Return `request` as OTLP writes it in JSON."""
    return with_hex_ids(MessageToDict(request, use_integers_for_enums=True))
