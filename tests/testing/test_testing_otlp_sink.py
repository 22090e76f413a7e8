"""The OTLP receiver reads what the SDK's own exporters send."""

from __future__ import annotations

import gzip
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from otel_posthog.testing import FakePostHog, OtlpSink

RESOURCE = Resource({"service.name": "shop"})


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_a_span_is_read_whole(compression: Compression, otlp_sink: OtlpSink) -> None:
    """Ids, kind, attributes of every type, events, links, status, scope and resource."""
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{otlp_sink.url}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("shop.orders")
    link = Link(SpanContext(1, 2, is_remote=True), {"why": "retry"})
    with tracer.start_as_current_span("parent") as parent:
        attributes: dict[str, Any] = {"text": "a", "whole": 5, "part": 0.5, "flag": True, "list": ["x", "y"]}
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, attributes=attributes, links=[link]) as child:
            child.add_event("e", {"k": 1})
            child.set_status(Status(StatusCode.ERROR, "failed"))
    provider.shutdown()
    made, root = otlp_sink.wait_for_spans(2)
    assert (made.name, made.scope_name, made.resource["service.name"]) == ("child", "shop.orders", "shop")
    assert made.attributes == attributes
    assert made.events == [("e", {"k": 1})]
    assert made.links == [{"why": "retry"}]
    assert (made.status_code, made.status_message) == (2, "failed")
    assert made.kind == 3
    assert made.trace_id == f"{parent.get_span_context().trace_id:032x}"
    assert made.parent_span_id == root.span_id == f"{parent.get_span_context().span_id:016x}"
    assert root.parent_span_id == ""
    assert b"shop.orders" in otlp_sink.raw_bytes
    assert otlp_sink.items == 2


def test_a_log_record_is_read_whole(otlp_sink: OtlpSink) -> None:
    """Body, attributes, event name and severity."""
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{otlp_sink.url}/v1/logs")))
    provider.get_logger("shop").emit(
        body={"a": [1, None]},
        attributes={"k": "v"},
        event_name="order.placed",
        severity_text="INFO",
        severity_number=SeverityNumber.INFO,
    )
    provider.shutdown()
    (made,) = otlp_sink.wait_for_logs(1)
    assert (made.body, made.attributes) == ({"a": [1, None]}, {"k": "v"})
    assert (made.event_name, made.severity_text, made.scope_name) == ("order.placed", "INFO", "shop")
    assert made.resource["service.name"] == "shop"


def test_metrics_are_read_with_their_points(otlp_sink: OtlpSink) -> None:
    """A counter's value, a histogram's sum."""
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{otlp_sink.url}/v1/metrics"), 60_000)
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    meter = provider.get_meter("shop")
    meter.create_counter("orders", unit="{order}").add(3, {"plan": "pro"})
    meter.create_histogram("duration", unit="s").record(0.25)
    provider.shutdown()
    otlp_sink.wait_for(lambda sink: len(sink.metrics) >= 2)
    by_name = {each.name: each for each in otlp_sink.metrics}
    assert by_name["orders"].points == [({"plan": "pro"}, 3.0)]
    assert by_name["orders"].unit == "{order}"
    assert by_name["duration"].points == [({}, 0.25)]


def post(url: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """Return status and body of one request."""
    request = urllib.request.Request(url, body, {k.replace("_", "-"): v for k, v in headers.items()}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_another_status_is_answered_and_nothing_taken(otlp_sink: OtlpSink) -> None:
    """A backend that is down can be played."""
    otlp_sink.status = 503
    assert post(f"{otlp_sink.url}/v1/traces", b"")[0] == 503
    assert post(f"{otlp_sink.url}/v1/elsewhere", b"")[0] == 404
    assert [request.status for request in otlp_sink.requests] == [503, 404]


def test_what_is_no_protobuf_is_told(otlp_sink: OtlpSink) -> None:
    """The sender of nonsense reads why, instead of a connection that closes."""
    status, body = post(f"{otlp_sink.url}/v1/traces", b"\xff\xff\xff")
    assert status == 500
    assert b"DecodeError" in body
    assert post(f"{otlp_sink.url}/v1/traces", gzip.compress(b"")[:5], Content_Encoding="gzip")[0] == 400


def test_a_wait_in_vain_says_what_is_there(otlp_sink: OtlpSink) -> None:
    """The counts of what came."""
    with pytest.raises(AssertionError, match="0 spans, 0 logs, 0 metrics"):
        otlp_sink.wait_for_spans(1, timeout_s=0.1)


def test_a_missing_extra_is_named_where_the_sink_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a thread of the server, where nobody would see it."""
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.trace.v1.trace_service_pb2", None)
    with pytest.raises(ImportError, match=r"otel-posthog\[testing\]"):
        OtlpSink()


def test_captured_events_is_a_live_view(fake_posthog: FakePostHog, captured_events: list[object]) -> None:
    """The fixture sees what comes after it was asked for."""
    assert captured_events is fake_posthog.events


def test_the_fixtures_cost_every_test_run_next_to_nothing() -> None:
    """They are loaded in every run of pytest: no server, SDK or protobuf comes with them."""
    code = (
        "import sys, pytest; import otel_posthog.testing.fixtures; "
        "print([name for name in ('http.server', 'urllib3', 'opentelemetry', 'google', 'yaml', 'posthog') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
