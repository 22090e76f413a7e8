"""OTLP as protobuf: the same records as of the same telemetry in JSON."""

from __future__ import annotations

from typing import Any

import pytest
from gateway import as_json, logs_request, spans_request
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp import OPERATIONAL, Record
from otel_posthog.intake.otlp.json_document import read_document
from otel_posthog.intake.otlp.protobuf import LOGS, TRACES, read_request
from otel_posthog.intake.otlp.records import MAX_DEPTH
from otel_posthog.intake.signals import record_signals
from otel_posthog.policy import ExceptionItems, ExceptionMode, ExceptionPolicy, Policy
from otel_posthog.recogniser import Recogniser

ALL = Recogniser(Policy(exceptions=ExceptionPolicy(ExceptionMode.TYPE, ExceptionItems.ALL)))
_texts = st.text(max_size=9)
_scalars = st.one_of(
    st.builds(lambda x: AnyValue(string_value=x), _texts),
    st.builds(lambda x: AnyValue(bool_value=x), st.booleans()),
    st.builds(lambda x: AnyValue(int_value=x), st.integers(-(2**63), 2**63 - 1)),
    st.builds(lambda x: AnyValue(double_value=x), st.floats(allow_nan=False)),
    st.builds(lambda x: AnyValue(bytes_value=x), st.binary(max_size=9)),
    st.builds(AnyValue),
)


def _array(values: list[AnyValue]) -> AnyValue:
    made = AnyValue()
    made.array_value.values.extend(values)
    return made


def _map(pairs: list[tuple[str, AnyValue]]) -> AnyValue:
    made = AnyValue()
    made.kvlist_value.SetInParent()
    for key, value in pairs:
        made.kvlist_value.values.add(key=key).value.CopyFrom(value)
    return made


_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(_array),
        st.lists(st.tuples(_texts, inner), min_size=1, max_size=3).map(_map),
    ),
    max_leaves=5,
)
_keys = st.one_of(_texts, st.sampled_from(["analytics.event", "analytics.user.id", "exception.type", "http.route"]))
_attributes = st.lists(st.tuples(_keys, _values), max_size=4)
_names = st.one_of(_texts, st.sampled_from(["exception", "analytics.step", "analytics."]))
_times = st.integers(0, 2**64 - 1)


def _put(target: Any, pairs: list[tuple[str, AnyValue]]) -> None:
    for key, value in pairs:
        target.attributes.add(key=key).value.CopyFrom(value)


@st.composite
def _traces(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        holder = request.resource_spans.add()
        _put(holder.resource, draw(_attributes))
        scope = holder.scope_spans.add()
        for _ in range(draw(st.integers(0, 3))):
            span = scope.spans.add(name=draw(_texts), end_time_unix_nano=draw(_times))
            span.trace_id, span.span_id = draw(st.sampled_from([b"t" * 16])), b"s" * 8
            span.dropped_attributes_count = draw(st.integers(0, 3))
            span.status.message = draw(_texts)
            _put(span, draw(_attributes))
            for _ in range(draw(st.integers(0, 2))):
                _put(span.events.add(name=draw(_names), time_unix_nano=draw(_times)), draw(_attributes))
    return request


@st.composite
def _logs(draw: st.DrawFn) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    holder = request.resource_logs.add()
    _put(holder.resource, draw(_attributes))
    scope = holder.scope_logs.add()
    for _ in range(draw(st.integers(0, 3))):
        record = scope.log_records.add(event_name=draw(_names), time_unix_nano=draw(_times))
        record.observed_time_unix_nano = draw(_times)
        record.trace_id = draw(st.sampled_from([b"", b"t" * 16]))
        record.body.CopyFrom(draw(_values))
        _put(record, draw(_attributes))
    return request


def _read(request: Any) -> tuple[list[Record], list[Record]]:
    kind = TRACES if isinstance(request, ExportTraceServiceRequest) else LOGS
    return list(read_request(request.SerializeToString(), kind, ALL)), list(read_document(as_json(request)))


@given(st.one_of(_traces(), _logs()))
def test_both_encodings_give_the_same_signals(request: Any) -> None:
    """Whatever a request holds: the records are equal, but for those that were told by their keys to hold nothing."""
    from_proto, from_json = _read(request)
    assert len(from_proto) == len(from_json)
    for one, other in zip(from_proto, from_json, strict=True):
        assert one is OPERATIONAL or repr(one) == repr(other)
        assert repr(record_signals(one, ALL)) == repr(record_signals(other, ALL))


def test_what_is_operational_is_told_without_looking_at_values() -> None:
    """Of a span without product data nothing is read."""
    records, _ = _read(spans_request("bought"))
    assert records[0] is OPERATIONAL
    assert records[1] is not OPERATIONAL


def test_one_malformed_item_leaves_the_others() -> None:
    """It is told with its field; without somebody to tell, it is raised."""
    request = logs_request("a", "b", "c")
    request.resource_logs[0].scope_logs[0].log_records[1].span_id = b"short"
    told: list[MalformedTelemetry] = []
    assert len(list(read_request(request, LOGS, ALL, told.append))) == 2
    assert [str(each) for each in told] == ["log_records[1].span_id must be 8 bytes"]
    with pytest.raises(MalformedTelemetry):
        list(read_request(request, LOGS, ALL))


def test_values_are_read_to_a_depth() -> None:
    """Deeper ones make the item malformed, not the process slow."""
    request = logs_request("deep")
    for levels, is_read in ((MAX_DEPTH, True), (MAX_DEPTH + 1, False)):
        value = AnyValue(int_value=1)
        for _ in range(levels):
            value = _array([value])
        request.resource_logs[0].scope_logs[0].log_records[0].body.CopyFrom(value)
        told: list[MalformedTelemetry] = []
        assert len(list(read_request(request, LOGS, ALL, told.append))) == is_read
        assert len(told) == (not is_read)
