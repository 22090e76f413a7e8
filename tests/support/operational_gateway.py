"""The real gateway for operational telemetry as a process, and a backend that can be told how to fail."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway import Gateway
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from ports import free_port
from processes import running

from otel_posthog.testing import OtlpSink
from otel_posthog.testing.server import Answer

# Not the environment's own: a gateway for operational telemetry needs no PostHog and no place on disk.
_NOT_NEEDED = ("POSTHOG_API_KEY", "POSTHOG_HOST", "OTEL_POSTHOG_STATE_DIR", "OTEL_POSTHOG_SPOOL_DIR", "HOME")


class Backend(OtlpSink):
    """A sink that answers what `said` is, before it takes anything; None has it answer by itself.

    What it left hanging while it was not `taking` it never takes: who waited for that has gone, and the next test's
    spans are counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said: Answer | None = None
        self.taking = threading.Event()
        self.taking.set()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Take a request, or do what it was told to; hangs while it is not `taking`."""
        if not self.taking.is_set():
            while not (self.taking.wait(0.05) or self.stopping.is_set()):
                pass
            return Answer(0)
        if self.said is not None and not 200 <= self.said.status < 300:
            return self.said
        answer = super().answer(path, headers, body)
        return self.said or answer


@contextmanager
def operational_gateway(
    *arguments: str, backend: str, http_port: int = 0, grpc: bool = False, **environ: str
) -> Iterator[Gateway]:
    """Run a gateway before the backend at this URL.

    Args:
        arguments: Further ones.
        backend: The backend's URL.
        http_port: A given one, to come back to; else a free one.
        grpc: Whether OTLP/gRPC is served too.
        environ: Further variables.
    """
    http_port, grpc_port = http_port or free_port(), free_port() if grpc else 0
    command = str(Path(sys.executable).with_name("otel-posthog"))
    ports = ["--port", str(http_port), "--grpc-port", str(grpc_port)]
    variables = {name: value for name, value in os.environ.items() if name not in _NOT_NEEDED}
    words = ["gateway", "--operational", "--backend", backend, *ports, *arguments]
    with running(command, *words, environ={**variables, **environ}) as tree:
        made = Gateway(tree, http_port, grpc_port)
        made.wait_until_ready()
        yield made


def spans(*names: str) -> bytes:
    """Return a request with a span of each name."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, name in enumerate(names, 1):
        span = scope.spans.add(name=name, trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"))
        span.attributes.add(key="to").value.string_value = "ada@example.com"
    return request.SerializeToString()
