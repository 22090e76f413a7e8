"""What the sampler decided as a trace began, on every event: in the app and behind a receiver, by every entrance."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import set_span_in_context
from otlp import logs_json, spans_json
from telemetry import Telemetry

from otel_posthog.intake import AnalyticsSampler
from otel_posthog.intake.otlp import json_document, protobuf
from otel_posthog.intake.signals import record_signals
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser

RECOGNISER = Recogniser(Policy())


def emitted(telemetry: Telemetry) -> None:
    """Emit an event of each kind inside a span."""
    with telemetry.tracer.start_as_current_span("op", attributes={"analytics.event": "span"}) as span:
        span.add_event("analytics.span_event")
        telemetry.logger.emit(event_name="analytics.log")
        # A line of text stays a log line, and a receiver sees it.
        telemetry.log.warning("line", extra={"analytics.event": "line"})
        other = telemetry.tracer.start_span("child", set_span_in_context(span), attributes={"analytics.event": "child"})
        other.end()


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_every_event_of_a_trace_says_what_was_decided(sampler: Any) -> None:
    """Spans, their events, children, log-based events and log lines; what has no trace says nothing."""
    with Telemetry(sampler=AnalyticsSampler(sampler)) as telemetry:
        emitted(telemetry)
        telemetry.logger.emit(event_name="analytics.alone")
    said = {each["event"]: each["properties"].get("trace_sampled") for each in telemetry.events}
    decided = sampler is ALWAYS_ON
    assert said == {**dict.fromkeys(("span", "span_event", "log", "line", "child"), decided), "alone": None}


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_a_receiver_reads_it_of_flags(sampler: Any) -> None:
    """A span that was exported was sampled; of log records the flags say it, in protobuf and in JSON."""
    with Telemetry(sampler=AnalyticsSampler(sampler)) as telemetry:
        emitted(telemetry)
        logs, spans = telemetry.logs.get_finished_logs(), telemetry.spans.get_finished_spans()
    assert bool(spans) is (sampler is ALWAYS_ON)
    for record in logs:
        record.log_record.event_name = "analytics.again"  # stripped on its way out
    request = encode_logs(logs).SerializeToString()
    of_protobuf = list(protobuf.read_request(request, protobuf.LOGS, RECOGNISER))
    of_json = list(json_document.read_document(logs_json(logs)))
    for records in (of_protobuf, of_json):
        found = [each for record in records for each in record_signals(record, RECOGNISER)]
        assert found
        assert {each.is_sampled for each in found} == {sampler is ALWAYS_ON}
    for signal in (protobuf.read_request(encode_spans(spans).SerializeToString(), protobuf.TRACES, RECOGNISER),):
        assert all(each.is_sampled for record in signal for each in record_signals(record, RECOGNISER))
    assert len(list(json_document.read_document(spans_json(spans)))) == len(spans)


@pytest.mark.parametrize("flags", [None, 0, 2, 256, "x", -1, True, [1], "0", 1.5])
def test_flags_that_do_not_say_so_are_not_sampled(flags: Any) -> None:
    """Nor does a mistake in them cost the event."""
    record = {"eventName": "analytics.e", "traceId": "1" * 32, "spanId": "2" * 16, "timeUnixNano": "5"}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{**record, "flags": flags}]}]}]}
    (found,) = json_document.read_document(document)
    (signal,) = record_signals(found, RECOGNISER)
    assert not signal.is_sampled
