"""OTLP/gRPC at a real gateway, from the real exporters and by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from gateway import Gateway, gateway, logs_request, spans_request
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_posthog.testing import FakePostHog

TOKEN = "g0" * 10
# The generated code is not typed.
_STUBS = (MetricsServiceStub, TraceServiceStub, LogsServiceStub)
METRICS, TRACES, LOGS = (cast("Callable[[grpc.Channel], Any]", stub) for stub in _STUBS)
WITH_TOKEN = (("authorization", f"Bearer {TOKEN}"),)


@pytest.fixture(scope="module")
def receiver(posthog: FakePostHog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a token."""
    directory = tmp_path_factory.mktemp("gateway")
    with gateway(posthog=posthog.url, directory=directory, grpc=True, OTEL_POSTHOG_GATEWAY_TOKENS=TOKEN) as made:
        yield made


@pytest.fixture
def channel(receiver: Gateway) -> Iterator[grpc.Channel]:
    """A connection to it."""
    with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as made:
        yield made


def test_the_sdk_s_exporters_send_to_it(receiver: Gateway, posthog: FakePostHog) -> None:
    """Spans and log-based events of an SDK whose protocol is gRPC arrive at PostHog."""
    endpoint = f"http://127.0.0.1:{receiver.grpc_port}"
    tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=WITH_TOKEN)))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(endpoint=endpoint, headers=WITH_TOKEN)))
    tracers.get_tracer("t").start_span("op", attributes={"analytics.event": "span_grpc"}).end()
    loggers.get_logger("t").emit(event_name="analytics.log_grpc")
    tracers.shutdown()
    loggers.shutdown()
    assert posthog.wait_until(lambda: bool(posthog.named("span_grpc") and posthog.named("log_grpc")), 20)


def test_metrics_are_acknowledged(channel: grpc.Channel) -> None:
    """An SDK that sends all three signals to one endpoint gets no errors."""
    METRICS(channel).Export(ExportMetricsServiceRequest(), metadata=WITH_TOKEN, timeout=10)


def test_a_malformed_item_is_rejected_and_its_neighbours_are_taken(channel: grpc.Channel, posthog: FakePostHog) -> None:
    """Partial success, as over HTTP."""
    request = spans_request("neighbour", "bad")
    request.resource_spans[0].scope_spans[0].spans[2].span_id = b""
    partial = TRACES(channel).Export(request, metadata=WITH_TOKEN, timeout=10).partial_success
    assert partial.rejected_spans == 1
    assert partial.error_message == "malformed 1; first malformed: spans[2].span_id must be there, and not all zeros"
    assert posthog.wait_until(lambda: bool(posthog.named("neighbour")), 20)


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),)])
def test_without_the_token_nothing_is_taken(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
    """The status is one after which no sender retries."""
    with pytest.raises(grpc.RpcError) as caught:
        LOGS(channel).Export(logs_request("e"), metadata=metadata, timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_what_is_no_request_is_refused(channel: grpc.Channel) -> None:
    """As invalid, with a message that holds nothing of it."""
    call = channel.unary_unary(
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        request_serializer=bytes,
        response_deserializer=ExportLogsServiceResponse.FromString,
    )
    with pytest.raises(grpc.RpcError) as caught:
        call(b"\xff\xff", metadata=WITH_TOKEN, timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "the document must be an ExportLogsServiceRequest in protobuf"


def test_while_events_cannot_be_kept_senders_are_told_when_to_come_again(tmp_path: Path) -> None:
    """`UNAVAILABLE` with a `RetryInfo`, which is what makes exporters keep them."""
    (tmp_path / "policy.yaml").write_text("delivery: {max_spool_bytes: 1048576}\n")
    options = ("--policy", str(tmp_path / "policy.yaml"))
    with (
        gateway(*options, posthog="http://127.0.0.1:9", directory=tmp_path, grpc=True) as made,
        grpc.insecure_channel(f"127.0.0.1:{made.grpc_port}") as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        fill(LOGS(channel))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    metadata: dict[str, bytes] = dict(cast("Any", caught.value.trailing_metadata()))
    retry = RetryInfo()
    assert Status.FromString(metadata["grpc-status-details-bin"]).details[0].Unpack(retry)
    assert retry.retry_delay.seconds == 5


def fill(logs: Any) -> None:
    """Send more than a spool of a megabyte holds."""
    for number in range(100):
        logs.Export(logs_request(*["e"] * 50, first=number * 50, analytics__x="x" * 400), timeout=10)
