"""What the sampler decided as a trace began, on every event: in the app and behind a receiver, by every entrance."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import set_span_in_context
from otlp import logs_json, spans_json
from telemetry import Telemetry

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import AnalyticsSampler
from otel_posthog.intake.otlp import json_document, protobuf
from otel_posthog.intake.signals import record_signals, span_signals
from otel_posthog.model import Signal
from otel_posthog.policy import Destination, Policy
from otel_posthog.policy.sections.trace_url import TraceUrl
from otel_posthog.recogniser import Recogniser
from otel_posthog.stages import Stages, clean_events

RECOGNISER = Recogniser(Policy())
GRAFANA = TraceUrl(grafana="https://grafana.example", datasource="tempo")


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


@pytest.mark.parametrize("trace_url", ["https://x.example/{trace_id}/{span_id}?from={from_ms}", GRAFANA])
def test_a_span_makes_the_same_bytes_in_an_app_and_behind_a_receiver(trace_url: str | TraceUrl) -> None:
    """Link and all: read off the SDK's span, out of protobuf and out of JSON, by plan and without."""
    exported = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    for number in range(3):
        given: dict[str, Any] = {
            "analytics.event": "e",
            "analytics.property.plan": "team",
            "analytics.property.number": number,
        }
        provider.get_tracer("t").start_span("op", attributes=given).end()
    spans = exported.get_finished_spans()
    request = encode_spans(spans).SerializeToString()
    ways: list[list[Signal]] = [
        [each for span in spans for each in span_signals(span, span.attributes or {}, RECOGNISER)],
        [each for one in protobuf.read_request(request, protobuf.TRACES, RECOGNISER)
         for each in record_signals(one, RECOGNISER)],
        [each for one in json_document.read_document(spans_json(spans)) for each in record_signals(one, RECOGNISER)],
    ]  # fmt: skip
    policy = Policy(destinations=(Destination(api_key="phc_x"),), trace_url=trace_url)
    made = []
    for signals in ways:
        health = Health()
        stages = Stages(policy, installation_id="i", health=health, guard=Guard(health))
        by_itself = [each.body for signal in signals for each in clean_events(stages.outcomes(signal))]
        assert [each.body for each in stages.cleaned_of_all(signals)[0]] == by_itself
        made.append(by_itself)
    assert made[0] == made[1] == made[2]
    assert all(b'"trace_url":"https://' in each and b'"trace_sampled":true' in each for each in made[0])


@pytest.mark.parametrize("flags", [None, 0, 2, 256, "x", -1, True, [1], "0", 1.5])
def test_flags_that_do_not_say_so_are_not_sampled(flags: Any) -> None:
    """Nor does a mistake in them cost the event."""
    record = {"eventName": "analytics.e", "traceId": "1" * 32, "spanId": "2" * 16, "timeUnixNano": "5"}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{**record, "flags": flags}]}]}]}
    (found,) = json_document.read_document(document)
    (signal,) = record_signals(found, RECOGNISER)
    assert not signal.is_sampled
