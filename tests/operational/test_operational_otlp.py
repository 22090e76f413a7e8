"""The filter over OTLP messages: nothing personal in any field that there is, and nothing else changed."""

from __future__ import annotations

import itertools
import math
from random import Random
from typing import Any

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList
from otlp_everything import REQUESTS, filled
from otlp_shapes import field as encoded_field
from planted_values import LOOK_ALIKES, MAKERS, in_text

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.operational.otlp import MAX_ATTRIBUTES, OtlpFilter, Passed
from otel_posthog.operational.spans import LINKS_MARK
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter

POLICY, GUARD = Policy(), Guard(Health())
DETECTORS = Filter(POLICY.operational_privacy)
FILTER = OtlpFilter(Redactor(POLICY.operational, DETECTORS, GUARD), GUARD)


def clean(request: Message) -> Passed:
    """Filter `request`, and return what became of its items."""
    return list(FILTER.clean(request))[-1]


def words() -> Any:
    """Return what gives words that say nothing, each once."""
    made = (f"w{''.join(letters)}" for letters in itertools.product("bcdfghjklm", repeat=6))
    return lambda _path: next(made)


@pytest.mark.parametrize("request_type", REQUESTS)
@pytest.mark.parametrize("kind", MAKERS)
def test_no_field_that_there_is_keeps_what_a_detector_finds(kind: str, request_type: type[Message]) -> None:
    """Each text and all bytes of a request hold a value of its own; none is in what goes on, also as keys and units."""
    dice, planted = Random(f"{kind} {request_type.__name__}"), dict[str, str]()

    def give(path: str) -> str:
        value = MAKERS[kind](dice)
        while DETECTORS.scrub_text(in_text(kind, value)) == in_text(kind, value):
            value = MAKERS[kind](dice)
        planted[value] = path
        return in_text(kind, value)

    request = filled(request_type(), give)
    before = request.SerializeToString()
    assert len(planted) > 100
    assert all(value.encode() in before for value in planted)
    clean(request)
    after = request.SerializeToString()
    left = {path: value for value, path in planted.items() if value.encode() in after}
    assert left == {}


@pytest.mark.parametrize("request_type", REQUESTS)
def test_nothing_else_is_changed(request_type: type[Message]) -> None:
    """Words in every field, numbers of each kind, unknown fields: the same message, but for the mark of links."""
    request = filled(request_type(), words())
    request.MergeFromString(encoded_field(77, b"a word") + b"\xe8\x3f\x07")
    before = request.SerializeToString()
    clean(request)
    assert type(request).FromString(before) == _without_marks(request)


@pytest.mark.parametrize("kind", LOOK_ALIKES)
def test_harmless_values_stay_in_every_field(kind: str) -> None:
    """What only looks like something personal goes on in values of attributes, bodies and names."""
    dice = Random(kind)
    for request_type in REQUESTS:
        words_for = words()

        def give(path: str, words_for: Any = words_for) -> str:
            return LOOK_ALIKES[kind](dice) if path.endswith(("string_value", "name")) else words_for(path)

        request = filled(request_type(), give)
        before = type(request).FromString(request.SerializeToString())
        clean(request)
        assert _without_marks(request) == before


def _without_marks(request: Any) -> Any:
    (field,) = request.DESCRIPTOR.fields
    for holder in getattr(request, field.name):
        assert holder.resource.attributes.pop().key == "otel_posthog.processed"
    for holder in getattr(request, "resource_spans", ()):
        for span in (span for scope in holder.scope_spans for span in scope.spans):
            assert span.attributes.pop().key == LINKS_MARK
    return request


_ODD: dict[str, Any] = {
    "nan": AnyValue(double_value=math.nan),
    "infinity": AnyValue(double_value=math.inf),
    "minus infinity": AnyValue(double_value=-math.inf),
    "nothing": AnyValue(),
    "empty text": AnyValue(string_value=""),
    "empty map": AnyValue(kvlist_value=KeyValueList()),
    "empty list": AnyValue(array_value=ArrayValue()),
    "empty bytes": AnyValue(bytes_value=b""),
    "raw bytes": AnyValue(bytes_value=bytes(range(256))),
    "bool": AnyValue(bool_value=False),
    "largest": AnyValue(int_value=2**63 - 1),
    "decimals": AnyValue(double_value=0.12345678901234567),
    "epoch": AnyValue(int_value=1_790_000_000_123),
}


@pytest.mark.parametrize("odd", _ODD)
@pytest.mark.parametrize("holder", ["kvlist_value", "array_value"])
def test_what_stands_beside_a_secret_stays_as_it_is(odd: str, holder: str) -> None:
    """Maps and lists with NaN, nothing, bytes or long numbers are filtered and not broken, at any depth."""
    value = AnyValue()
    inner = value
    for _ in range(3):
        inner = inner.kvlist_value.values.add(key="in").value
    if holder == "kvlist_value":
        pairs = inner.kvlist_value.values
        for key, each in (("odd", _ODD[odd]), ("to", AnyValue(string_value="ada@example.com"))):
            pairs.add(key=key, value=each)
        pairs.add(key="password", value=AnyValue(string_value="hunter2secret"))
    else:
        inner.array_value.values.extend([_ODD[odd], AnyValue(string_value="ada@example.com")])
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(body=value)
    record.attributes.add(key="map", value=value)
    clean(request)
    raw = request.SerializeToString()
    assert b"ada@example.com" not in raw
    assert b"hunter2secret" not in raw
    for filtered in (record.body, record.attributes[0].value):
        left = filtered
        for _ in range(3):
            left = left.kvlist_value.values[0].value
        if holder == "kvlist_value":
            assert [pair.key for pair in left.kvlist_value.values] == ["odd", "to", "password"]
            kept = left.kvlist_value.values[0].value
        else:
            kept = left.array_value.values[0]
        assert kept.SerializeToString() == _ODD[odd].SerializeToString()


def test_deep_nesting_ends_in_a_marker() -> None:
    """As deep as the parser allows: what is deeper than the policy's limit is not let through unseen."""
    value = AnyValue(string_value="ada@example.com")
    for _ in range(40):
        value = AnyValue(array_value=ArrayValue(values=[value]))
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(body=value)
    clean(request)
    assert b"ada@example.com" not in request.SerializeToString()


def test_of_a_key_that_stands_twice_the_last_stays() -> None:
    """In attributes and in maps: the earlier ones are not looked at, and so do not go on."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    for pairs in (record.attributes, record.body.kvlist_value.values):
        for value in ("ada@example.com", "fine"):
            pairs.add(key="a", value=AnyValue(string_value=value))
    clean(request)
    assert b"ada@" not in request.SerializeToString()
    assert [pair.value.string_value for pair in record.attributes] == ["fine"]
    assert [pair.value.string_value for pair in record.body.kvlist_value.values] == ["fine"]


def test_unknown_fields_with_something_in_them_do_not_go_on() -> None:
    """A field of a later OTLP is looked at as bytes; with a product attribute in it it goes as well."""
    for content in (b"to ada@example.com", b"analytics.event"):
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add(name="GET /")
        span.MergeFromString(encoded_field(77, encoded_field(1, content)))
        assert content in request.SerializeToString()
        clean(request)
        assert content not in request.SerializeToString()
        assert request.resource_spans[0].scope_spans[0].spans[0].name == "GET /"


def test_an_id_of_another_length_is_looked_at() -> None:
    """Ids are random bytes; what is longer is none, and may be a text."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"ada.lovelace@example.com")
    span.span_id = b"ada@b.io"
    clean(request)
    assert (span.trace_id, span.span_id) == (b"", b"ada@b.io")


def test_product_data_does_not_go_on_and_no_span_is_missing() -> None:
    """Product records are withheld, with the scope that held nothing else; of spans the attributes and events are."""
    logs = ExportLogsServiceRequest()
    scopes = logs.resource_logs.add().scope_logs
    scopes.add().log_records.add(event_name="analytics.bought")
    both = scopes.add().log_records
    both.add(body=AnyValue(string_value="a line")).attributes.add(key="analytics.event")
    both[0].attributes[0].value.string_value = "seen"
    scopes.add()
    assert clean(logs) == Passed(items=2, product=1, failed=0)
    assert b"analytics" not in logs.SerializeToString()
    assert [len(scope.log_records) for scope in logs.resource_logs[0].scope_logs] == [1, 0]
    traces = ExportTraceServiceRequest()
    span = traces.resource_spans.add().scope_spans.add().spans.add(name="POST /")
    for key in ("analytics.event", "plan"):
        span.attributes.add(key=key).value.string_value = "pro"
    span.events.add(name="analytics.stepped")
    span.events.add(name="retried")
    assert clean(traces) == Passed(items=1, product=0, failed=0)
    assert [pair.key for pair in span.attributes] == ["plan"]
    assert [event.name for event in span.events] == ["retried"]


def test_a_request_of_product_records_only_is_empty() -> None:
    """So that nothing is sent for it."""
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(event_name="analytics.bought")
    clean(logs)
    assert not logs.resource_logs


def test_an_entry_of_a_traces_state_goes_by_either_half() -> None:
    """The others stay, in their order."""
    traces = ExportTraceServiceRequest()
    span = traces.resource_spans.add().scope_spans.add().spans.add()
    span.trace_state = "a=1,b=ada@example.com,user_id=u-1234,c=2"
    clean(traces)
    assert span.trace_state == "a=1,c=2"


def test_what_cannot_be_looked_through_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A span goes on as an empty one of the same ids; a log record, and the metrics of a resource, do not."""

    class Fails(Redactor):
        def attributes(self, attributes: Any) -> Any:
            if attributes and "BREAK" in attributes:
                raise RuntimeError
            return super().attributes(attributes)

    caught: list[str] = []
    monkeypatch.setattr(GUARD, "caught", lambda where, _: caught.append(where))
    failing = OtlpFilter(Fails(POLICY.operational, DETECTORS, GUARD), GUARD)
    of_all: list[Any] = [make() for make in REQUESTS]
    traces, logs, metrics = of_all
    spans = traces.resource_spans.add().scope_spans.add().spans
    records = logs.resource_logs.add().scope_logs.add().log_records
    points = metrics.resource_metrics.add().scope_metrics.add().metrics.add().sum.data_points
    for items in (spans, records, points):
        items.add().attributes.add(key="BREAK").value.string_value = "ada@example.com"
        items.add().attributes.add(key="fine").value.string_value = "a"
    spans[0].MergeFrom(type(spans[0])(name="to ada@example.com", span_id=b"s" * 8, kind=2, trace_state="a=b"))
    assert list(failing.clean(traces))[-1] == Passed(items=2, product=0, failed=0)
    assert list(failing.clean(logs))[-1] == Passed(items=2, product=0, failed=1)
    assert list(failing.clean(metrics))[-1] == Passed(items=2, product=0, failed=2)
    assert spans[0] == type(spans[0])(name="[redacted]", span_id=b"s" * 8, kind=2, status={})
    assert [pair.key for record in records for pair in record.attributes] == ["fine"]
    assert not metrics.ListFields()
    assert caught == ["redact_span", "redact_log", "redact_metrics"]


@pytest.mark.parametrize("request_type", REQUESTS)
def test_a_long_request_is_filtered_in_steps(request_type: type[Message]) -> None:
    """Between two of them other senders have their turn; each item is counted once."""
    request: Any = request_type()
    holders, scopes, items = (
        ("resource_spans", "scope_spans", "spans"),
        ("resource_logs", "scope_logs", "log_records"),
        ("resource_metrics", "scope_metrics", "metrics"),
    )[REQUESTS.index(request_type)]
    found = getattr(getattr(getattr(request, holders).add(), scopes).add(), items)
    found = found.add().sum.data_points if items == "metrics" else found
    for _ in range(1000):
        found.add().attributes.add(key="text").value.string_value = "a" * 500
    steps = list(FILTER.clean(request))
    assert len(steps) > 4
    assert steps[-1].items == len(found) == 1000


def test_a_list_of_attributes_without_end_is_dropped_and_counted() -> None:
    """One item is one step, which others wait for: ten thousand take a third of a second."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="a", dropped_attributes_count=1)
    for number in range(MAX_ATTRIBUTES + 1):
        span.attributes.add(key=f"k{number}")
    clean(request)
    assert (span.name, len(span.attributes), span.dropped_attributes_count) == ("a", 0, MAX_ATTRIBUTES + 2)
