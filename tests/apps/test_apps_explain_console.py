"""What console exporters print, as developers have it at hand: explained like the same as OTLP."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk._logs import LoggerProvider, export
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otlp import logs_json, spans_json

from otel_posthog.apps import cli

MAIL, USER = "jo.doe@example.org", "u-4711"
RESOURCE = Resource({"service.name": "shop", "deployment.environment.name": "dev"})
COMPACT: Callable[[Any], str] = lambda each: each.to_json(indent=None) + "\n"  # noqa: E731 - as the SDK has it


class Telemetry:
    """The same spans, log records and metrics, as console exporters print them and as OTLP JSON.

    Args:
        formatter: As exporters take one; None is their own.
    """

    def __init__(self, formatter: Callable[[Any], str] | None = None) -> None:
        given: dict[str, Any] = {} if formatter is None else {"formatter": formatter}
        self._out, self._spans = io.StringIO(), InMemorySpanExporter()
        self._logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self._reader = InMemoryMetricReader()
        tracers, loggers = TracerProvider(resource=RESOURCE), LoggerProvider(resource=RESOURCE)
        for spans in (ConsoleSpanExporter(out=self._out, **given), self._spans):
            tracers.add_span_processor(SimpleSpanProcessor(spans))
        # Its name in newer versions; the older one warns there.
        console = getattr(export, "ConsoleLogRecordExporter", None) or export.ConsoleLogExporter
        for logs in (console(out=self._out, **given), self._logs):
            loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
        self._meters = MeterProvider(metric_readers=[self._reader], resource=RESOURCE)
        self._record(tracers, loggers)
        self._data = self._reader.get_metrics_data()
        assert self._data is not None
        ConsoleMetricExporter(out=self._out, **given).export(self._data)

    def _record(self, tracers: TracerProvider, loggers: LoggerProvider) -> None:
        log = loggers.get_logger("shop")
        with tracers.get_tracer("shop").start_as_current_span("POST /tickets", kind=trace.SpanKind.SERVER) as span:
            span.set_attributes({"analytics.event": "ticket_created", "analytics.user.id": USER, "user.id": USER})
            span.set_attributes({"analytics.property.tags": ["a", "b"], "url.full": f"https://shop/?m={MAIL}"})
            span.add_event("analytics.coupon_used", {"analytics.code": "X", "note": MAIL})
            span.record_exception(ValueError(MAIL))
            span.set_status(trace.StatusCode.ERROR, f"no mail for {MAIL}")
            nested: dict[str, Any] = {"analytics.cart": {"items": [1, {"id": 2}]}, "analytics.consent": True}
            log.emit(event_name="analytics.receipt_sent", attributes=nested, timestamp=1_767_323_045_123_456_000)
            log.emit(body=f"mail to {MAIL}", severity_text="INFO")
        log.emit(event_name="analytics.")
        with tracers.get_tracer("shop").start_as_current_span("plain"):
            pass
        self._meters.get_meter("shop").create_counter("orders", "1", f"of {MAIL}").add(1, {"customer": MAIL})
        self._meters.get_meter("shop").create_histogram("size").record(3, {"kind": "a"})

    @property
    def printed(self) -> str:
        """What console exporters printed."""
        return self._out.getvalue()

    @property
    def otlp(self) -> str:
        """The same as OTLP JSON lines."""
        assert self._data is not None
        metrics = MessageToDict(encode_metrics(self._data))
        documents = [
            spans_json(self._spans.get_finished_spans()),
            logs_json(self._logs.get_finished_logs()),
            metrics,
        ]
        return "\n".join(map(json.dumps, documents))


def explained(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[Any], str]:
    """Return what is printed with `--json`, sorted, without what a printed time cannot tell; and what else is said."""
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    assert cli.main(["explain", "--json", "--identity", "identified", str(path)]) == 0
    out, err = capsys.readouterr()
    return sorted((json.loads(line, object_hook=_without) for line in out.splitlines()), key=json.dumps), err


def _without(found: dict[str, Any]) -> dict[str, Any]:
    """Leave the line out, and what is made of a time: consoles print it rounded to microseconds."""
    return {key: value for key, value in found.items() if key not in {"line", "uuid", "timestamp"}}


@pytest.mark.parametrize("formatter", [None, COMPACT], ids=["indented", "a line each"])
def test_console_output_is_explained_as_the_same_telemetry_in_otlp(
    formatter: Callable[[Any], str] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several objects one after the other: events, who, both sides, and what is dropped, to the field."""
    telemetry = Telemetry(formatter)
    printed, said = explained(telemetry.printed, tmp_path, capsys)
    assert (printed, said) == explained(telemetry.otlp, tmp_path, capsys)
    assert said == ""
    items = [item for item in printed if item["type"] == "item"]
    sent = [each["event"] for item in items for event in item["events"] for each in event["destinations"]]
    events = [each for each in sent if each]
    assert {"ticket_created", "coupon_used", "receipt_sent"} <= {each["event"] for each in events}
    assert {each["distinct_id"] for each in events if each["event"] == "ticket_created"} == {USER}
    assert all("analytics.user.id" not in each["properties"] for each in events)
    assert {item["kind"] for item in items} == {"span", "log", "metric"}
    orders = next(item for item in printed if item.get("name") == "orders")
    assert orders["operational"]["redacted"] == ["description", "customer"]


def test_console_output_is_found_between_the_other_lines_of_a_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines of a server and log lines that are JSON are left out, and said to be."""
    telemetry = Telemetry()
    alone, _ = explained(telemetry.printed, tmp_path, capsys)
    mixed = " * Serving Flask app 'shop'\nready\n" + telemetry.printed.replace(
        "\n}\n", '\n}\n127.0.0.1 "GET / HTTP/1.1" 200\n[2026-01-02] INFO {x}\n{"level": "info", "user": "jo"}\n'
    )
    found, said = explained(mixed, tmp_path, capsys)
    assert found == alone
    count = 2 + 3 * telemetry.printed.count("\n}\n")
    assert said == f"left out, as no telemetry: {count} of the program's other lines\n"


def shapes() -> Iterator[dict[str, Any]]:
    """Telemetry in formats that are not read: of Jaeger, Zipkin, other SDKs' consoles, a half of a document."""
    yield {"traceID": "a", "spanID": "b", "tags": [{"key": "user.id", "value": USER}]}
    yield {"traceId": "a", "id": "b", "name": "GET", "tags": {"user.id": USER}}
    yield {"trace_id": "0x1", "span_id": "0x2", "attributes": {"analytics.user.id": USER}}
    yield {"name": "GET", "attributes": {"analytics.event": "paid", "analytics.user.id": USER}}
    yield {"resource": {"attributes": {}}, "instrumentationScope": {"name": "x"}, "traceId": "a", "parentId": "b"}
    yield {"resource": {"attributes": []}, "scopeSpans": [{"spans": []}]}
    yield {"resource_spans": [{"scope_spans": []}]}
    yield {"scope_metrics": []}
    yield {"Name": "GET", "Attributes": [], "Resource": []}


@pytest.mark.parametrize("content", list(shapes()), ids="-".join)
def test_what_only_looks_like_properties_is_refused(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would show ids as sent that an app never sends: one line says which formats are read."""
    path = tmp_path / "file"
    path.write_text(json.dumps(content))
    assert cli.main(["explain", str(path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"otel-posthog explain: {path}: line 1: this looks like telemetry in a format that is not")
    assert said.count("\n") == 1
    assert USER not in said


@pytest.mark.parametrize(
    "content",
    [
        {"plan": "pro", "status": "open", "resource": "projects", "context": "menu"},
        {"trace_id": "a", "name": "x"},
        {"status": {"code": 1}, "plan": "pro"},
        {"event": "paid", "properties": {"a": 1}, "context": {"ip": "x"}, "traceId": "a", "spanId": "b"},
        {"analytics.event": "paid", "analytics.user.id": USER, "trace_id": "a", "span_id": "b"},
    ],
)
def test_properties_with_words_of_telemetry_in_them_are_explained(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One such word makes no span of them."""
    found, _ = explained(json.dumps(content), tmp_path, capsys)
    assert found[-1]["events"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_time": "soon", "end_time": None}, "start_time must be a time"),
        ({"end_time": "2026-01-02T03:04:05"}, "end_time must be a time with an offset"),
        ({"context": {"trace_id": "0xzz"}}, "context.trace_id must be an id in hexadecimal digits"),
        ({"attributes": [1]}, "attributes must be an object"),
        ({"events": [{"name": 5}]}, "events[0].name must be a string"),
    ],
)
def test_console_output_that_somebody_has_edited_is_told_by_field(
    change: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line and the field, and never what is there."""
    first = next(each for each in map(json.loads, Telemetry(COMPACT).printed.splitlines()) if "context" in each)
    path = tmp_path / "file"
    path.write_text("\n" + json.dumps({**first, **change}))
    assert cli.main(["explain", str(path)]) == 1
    assert f"line 2: {message}" in capsys.readouterr().err
