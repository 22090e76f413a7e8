"""OTLP as JSON: what the real exporters write gives the signals that the process itself makes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otlp import logs_json, spans_json

from otel_posthog.errors import Guard, MalformedTelemetry
from otel_posthog.health import Health
from otel_posthog.intake import LogIntake, SpanIntake
from otel_posthog.intake.otlp import LogRecord, SpanRecord, json_document
from otel_posthog.intake.otlp.json_document import is_otlp, read_document
from otel_posthog.intake.otlp.records import MAX_DEPTH
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import Signal, Source
from otel_posthog.policy import ExceptionItems, ExceptionMode, ExceptionPolicy, Policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.translate import translate

RESOURCE = Resource({"service.name": "shop", "process.pid": 7})
ALL = Recogniser(Policy(exceptions=ExceptionPolicy(ExceptionMode.TYPE, ExceptionItems.ALL)))
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Process:
    """A real SDK whose telemetry is taken both by intake and by exporters; nothing is detached in between."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        guard = Guard(Health())
        self.tracers = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
        self.loggers = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        self.tracers.add_span_processor(
            SpanIntake(self.signals.append, lambda _: None, guard, flush=bool, close=lambda: None, recogniser=ALL)
        )
        self.loggers.add_log_record_processor(
            LogIntake(self.signals.append, guard, flush=bool, close=lambda: None, recogniser=ALL)
        )

    @property
    def documents(self) -> list[Any]:
        """What the exporters got, as OTLP JSON."""
        return [spans_json(self.spans.get_finished_spans()), logs_json(self.logs.get_finished_logs())]


@pytest.fixture
def process() -> Iterator[Process]:
    """A process, shut down afterwards."""
    made = Process()
    yield made
    made.tracers.shutdown()
    made.loggers.shutdown()


def signals(document: Any) -> list[Signal]:
    """Return the signals of a document, after a way through text."""
    parsed = json.loads(json.dumps(document))
    return [signal for record in read_document(parsed) for signal in record_signals(record, ALL)]


def uuids(found: list[Signal]) -> list[str]:
    """Return the uuids of the events of `found`."""
    return [event.uuid for signal in found for event in translate(signal, lambda _: None)]


def fail(tracer: trace.Tracer) -> None:
    """End a span by an exception."""
    with tracer.start_as_current_span("idle"):
        raise ValueError("m")


def test_a_document_gives_the_signals_of_the_process_it_comes_from(process: Process) -> None:
    """Spans, span events, repeats, exceptions, log-based events and marked lines: equal, of spans with the same uuids.

    Log records are numbered in their process, and told apart by all that is received elsewhere.
    """
    tracer = process.tracers.get_tracer("t")
    attributes: dict[str, Any] = {
        "analytics.event": "paid",
        "analytics.n": [1, 2],
        "f": 0.1,
        "b": True,
        "big": 2**53 + 1,
    }
    with tracer.start_as_current_span("pay", attributes=attributes) as span:
        for _ in range(2):
            span.add_event("analytics.item", {"analytics.k": "v"}, timestamp=1_764_000_000_000_000_001)
        span.record_exception(KeyError("x"))
        process.loggers.get_logger("l").emit(
            event_name="analytics.shipped",
            observed_timestamp=1_764_000_000_000_000_009,
            severity_number=SeverityNumber.INFO,
            body={"deep": [{"raw": b"\x00\xff", "none": None}]},
            attributes={"analytics.cart": {"items": [{"price": 1.5, "raw": b"\x00\xff"}], "n": 3}},
        )
    with pytest.raises(ValueError, match="m"):
        fail(tracer)
    process.loggers.get_logger("l").emit(body="line", attributes={"analytics.event": "logged"})
    process.loggers.get_logger("l").emit(body="line", attributes={"exception.type": "ValueError"})
    process.loggers.get_logger("l").emit(body="operational")
    found = [signal for document in process.documents for signal in signals(document)]
    process.signals[:] = [
        each._replace(repeat_index=0) if each.source is Source.LOG else each for each in process.signals
    ]
    order = {signal: place for place, signal in enumerate(uuids(process.signals))}
    found.sort(key=lambda signal: order[uuids([signal])[0]])
    assert len(found) == 8
    assert uuids(found) == uuids(process.signals)
    assert [plain(signal) for signal in found] == [plain(signal) for signal in process.signals]


def plain(signal: Signal) -> dict[str, Any]:
    """Return the fields of `signal`, sequences as lists; a document knows no context."""
    names = Signal._fields
    return {name: listed(getattr(signal, name)) for name in names if name != "context"}


def listed(value: Any) -> Any:
    """Return `value` with lists for sequences and dicts for mappings."""
    if hasattr(value, "items"):
        return {key: listed(each) for key, each in value.items()}
    return [listed(each) for each in value] if isinstance(value, (list, tuple)) else value


def span_with(**fields: Any) -> dict[str, Any]:
    """Return a document of one span."""
    span = {"traceId": TRACE, "spanId": SPAN, "name": "s", "endTimeUnixNano": "5", **fields}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def attribute(value: Any) -> dict[str, Any]:
    """Return a document of one span with one attribute."""
    return span_with(attributes=[{"key": "k", "value": value}])


def only_value(value: Any) -> Any:
    """Return what the one attribute of such a document is read as."""
    (record,) = read_document(attribute(value))
    return record.attributes["k"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"stringValue": "x"}, "x"),
        ({"boolValue": False}, False),
        ({"intValue": "-9223372036854775808"}, -(2**63)),
        ({"intValue": 7}, 7),
        ({"doubleValue": 1}, 1.0),
        ({"doubleValue": "-1.5e3"}, -1500.0),
        ({"doubleValue": "Infinity"}, math.inf),
        ({"bytesValue": "AP8="}, b"\x00\xff"),
        ({"bytesValue": "-_8"}, b"\xfb\xff"),
        ({"arrayValue": {}}, ()),
        ({"arrayValue": {"values": [{"intValue": "1"}, {}]}}, (1, None)),
        (
            {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}, {"key": "c"}]}},
            {"a": "b", "c": None},
        ),
        ({}, None),
        (None, None),
        ({"fromTheFuture": 1}, None),
        ({"stringValue": None, "intValue": "1"}, 1),
    ],
)
def test_values_are_read_as_the_sdk_holds_them(written: Any, value: Any) -> None:
    """Each kind, with the spellings that protobuf's JSON allows."""
    assert only_value(written) == value
    assert type(only_value(written)) is type(value)


AT = "resourceSpans[0].scopeSpans[0].spans[0]"
VALUE = f"{AT}.attributes[0].value"


@pytest.mark.parametrize(
    ("document", "path", "problem"),
    [
        ([], "", "must be an object"),
        ({"resourceSpans": {}}, "resourceSpans", "must be a list"),
        ({"resourceSpans": [None]}, "resourceSpans[0]", "must be an object"),
        ({"resourceLogs": [{"scopeLogs": [3]}]}, "resourceLogs[0].scopeLogs[0]", "must be an object"),
        (span_with(traceId="CvdlGRbNQ92ESOshHIAxnA=="), f"{AT}.traceId", "not base64"),
        (span_with(traceId="x" * 32), f"{AT}.traceId", "32 hexadecimal digits"),
        (span_with(spanId="0" * 16), f"{AT}.spanId", "not all zeros"),
        (span_with(spanId=None), f"{AT}.spanId", "must be there"),
        (span_with(name=5), f"{AT}.name", "must be a string"),
        (span_with(endTimeUnixNano="-1"), f"{AT}.endTimeUnixNano", "unsigned 64 bits"),
        (span_with(endTimeUnixNano=1.5), f"{AT}.endTimeUnixNano", "must be an integer"),
        (span_with(endTimeUnixNano=True), f"{AT}.endTimeUnixNano", "must be an integer"),
        (span_with(endTimeUnixNano="9" * 5000), f"{AT}.endTimeUnixNano", "must be an integer"),
        (span_with(events=[{"timeUnixNano": "soon"}]), f"{AT}.events[0].timeUnixNano", "must be an integer"),
        (attribute({"intValue": str(2**63)}), f"{VALUE}.intValue", "64 bits"),
        (attribute({"boolValue": "true"}), f"{VALUE}.boolValue", "true or false"),
        (attribute({"doubleValue": "1_0"}), f"{VALUE}.doubleValue", "a number"),
        (attribute({"doubleValue": 10**400}), f"{VALUE}.doubleValue", "a number"),
        (attribute({"bytesValue": "!"}), f"{VALUE}.bytesValue", "base64"),
        (attribute({"stringValue": "x", "intValue": "1"}), VALUE, "one value, not stringValue and intValue"),
        (attribute("x"), VALUE, "must be an object"),
    ],
)
def test_what_is_malformed_is_named_by_its_path_without_its_value(document: Any, path: str, problem: str) -> None:
    """The message says where and what must be there."""
    with pytest.raises(MalformedTelemetry) as caught:
        list(read_document(document))
    assert caught.value.path == path
    assert problem in str(caught.value)


def test_depth_is_bounded() -> None:
    """A value of as many levels as allowed is read; one more is refused, long before Python's own limit."""

    def nested(levels: int) -> Any:
        value: Any = {"stringValue": "x"}
        for _ in range(levels):
            value = {"arrayValue": {"values": [value]}}
        return value

    assert only_value(nested(MAX_DEPTH - 1)) is not None
    for value in (nested(MAX_DEPTH), {"kvlistValue": {"values": [{"key": "k", "value": nested(MAX_DEPTH - 1)}]}}):
        with pytest.raises(MalformedTelemetry, match="nested more than"):
            only_value(value)


def test_unknown_fields_are_ignored_and_missing_ones_have_their_default() -> None:
    """As protobuf demands of its readers, so that newer writers are read as well."""
    (record,) = read_document(
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"new": {"x": [1]}}], "y": 1}]}], "z": 2}
    )
    assert record == LogRecord("", {}, None, 0, 0, 0, 0, {})
    (span,) = read_document({**span_with(attributes=None, events=None, kind="SPAN_KIND_SERVER")})
    assert span == SpanRecord("s", {}, int(TRACE, 16), int(SPAN, 16), 5, (), "", {})
    assert list(read_document({"resourceMetrics": [{"a": 1}]})) == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"resourceSpans": []}, True),
        ({"resourceMetrics": []}, True),
        ({"event": "x"}, False),
        ([], False),
        ("x", False),
    ],
)
def test_a_document_says_itself_that_it_is_otlp(document: Any, expected: bool) -> None:
    """By the field at its top."""
    assert is_otlp(document) is expected


NAMES = (
    "resourceSpans resource attributes scopeSpans spans key value events traceId spanId timeUnixNano status message "
    "resourceLogs scopeLogs logRecords body stringValue intValue arrayValue values kvlistValue bytesValue doubleValue"
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=4),
    max_leaves=25,
)


@given(json_values)
def test_any_json_is_read_or_refused_and_nothing_else_is_raised(document: Any) -> None:
    """Whatever a stranger sends."""
    with suppress(MalformedTelemetry):
        for record in read_document(document):
            assert isinstance(record_signals(record, ALL), list)


KINDS = ["stringValue", "boolValue", "intValue", "doubleValue", "bytesValue", "arrayValue", "kvlistValue", "other"]
given_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(2**70), st.floats(), st.text(max_size=3), st.just("\ud800"),
    st.sampled_from(["1", "-1", "NaN", "1e400", "\u0661", "99999999999999999999", ""]), st.just([]), st.just({}),
    st.just({"values": [{"key": "a", "value": {"stringValue": "b"}}]}),
)  # fmt: skip
any_values = st.one_of(st.none(), given_values, st.dictionaries(st.sampled_from(KINDS), given_values, max_size=2))
any_pairs = st.one_of(
    given_values,
    st.fixed_dictionaries({}, optional={"key": st.one_of(st.just("a"), given_values), "value": any_values}),
    st.builds(lambda kind, value: {"key": "a", "value": {kind: value}}, st.sampled_from(KINDS), given_values),
)


@given(st.lists(any_pairs, max_size=4), given_values, given_values)
@example([{"key": "a", "value": {"intValue": 2**70}}], "1", None)
@example([{"key": "a", "value": {"stringValue": "x", "intValue": "1"}}], 5, {"stringValue": "\ud800"})
@example(
    [{"key": "a", "value": {"stringValue": "x", "doubleValue": None}}, {"key": 1, "value": {"stringValue": "y"}}],
    "-1",
    {},
)
@example([{"key": "a", "value": {"doubleValue": math.nan}}, {"key": "a", "value": {"boolValue": 1}}], True, [])
@example([{"value": {"stringValue": "x"}}, {"key": "\ud800", "value": {"stringValue": 1.0}}], "9" * 20, 1)
def test_plain_attributes_are_read_as_all_others(pairs: list[Any], time: Any, body: Any) -> None:
    """What is taken as it stands is what the whole way makes of it; what is refused is refused in the same words."""
    record = {"attributes": pairs, "timeUnixNano": time, "body": body}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, {}]}]}]}
    plain, whole = read_with(document, is_plain=True), read_with(document, is_plain=False)
    assert plain == whole


def read_with(document: Any, *, is_plain: bool) -> str:
    """Return what is read of a document and what is refused, with or without the short way."""
    refused = list[str]()
    short = json_document._put_plain if is_plain else lambda *_: False
    with mock.patch.object(json_document, "_put_plain", short):
        records = list(read_document(document, lambda error: refused.append(str(error))))
    return repr((records, refused))
