"""`configure()` for programs that set up the SDK themselves, in a process that tests may set up again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

import otel_posthog
from otel_posthog import AnalyticsSampler, ConfigurationError, PolicyError, configure
from otel_posthog.intake import Lift
from otel_posthog.policy import Destination, IdentityMode, Policy
from otel_posthog.setup import configure as module
from otel_posthog.testing import FakePostHog

OWN_METRICS = (
    *("events", "queue.size", "delivery.duration", "delivery.latency"),
    *("spool.size", "spool.events", "spool.oldest_age"),
)


class Program:
    """A program with the three providers, as somebody would set them up by hand."""

    def __init__(self, **options: Any) -> None:
        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self.reader = InMemoryMetricReader()
        self.traces = TracerProvider(shutdown_on_exit=False, **options)
        self.traces.add_span_processor(BatchSpanProcessor(self.spans))
        self.traces.add_span_processor(SimpleSpanProcessor(self.spans))
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        self.loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)

    @property
    def providers(self) -> dict[str, Any]:
        """The arguments of `configure`."""
        return {"tracer_provider": self.traces, "logger_provider": self.loggers, "meter_provider": self.meters}

    def work(self) -> None:
        """Make one product span and one product log."""
        attributes = {"analytics.event": "e", "note": "ada@example.org"}
        self.traces.get_tracer("t").start_span("op", attributes=attributes).end()
        self.loggers.get_logger("l").emit(event_name="analytics.logged")
        self.traces.force_flush()

    def close(self) -> None:
        """Shut the providers down."""
        for provider in (self.traces, self.loggers, self.meters):
            provider.shutdown()


@pytest.fixture
def program(not_set_up: None) -> Iterator[Program]:
    """A program in a process that is not set up."""
    made = Program()
    yield made
    otel_posthog.shutdown(5)
    made.close()


def test_one_call_separates_the_two_sides(program: Program, fake_posthog: FakePostHog) -> None:
    """Exporters that were installed before get clean data; product events arrive after a flush."""
    configure(api_key="phc_test", host=fake_posthog.url, **program.providers)
    program.work()
    program.meters.get_meter("m").create_counter("orders").add(1, {"customer": "ada@example.org"})
    assert otel_posthog.flush(5)
    assert sorted(each.event for each in fake_posthog.events) == ["e", "logged"]
    assert [dict(span.attributes or {}) for span in program.spans.get_finished_spans()] == [{"note": "[email]"}] * 2
    assert program.logs.get_finished_logs() == ()
    data = program.reader.get_metrics_data()
    assert data is not None
    names = {metric.name for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics}
    assert names == {"orders", *(f"otel_posthog.{name}" for name in OWN_METRICS)}
    assert "ada@" not in data.to_json()


def test_texts_of_which_nothing_is_left_are_counted(program: Program) -> None:
    """Telemetry has no receipt: what became of it is counted with what became of properties."""
    configure(**program.providers)
    endless = "order " + "02 30 26 46 55 " * 40
    program.traces.get_tracer("t").start_span("op", attributes={"note": endless}).end()
    program.traces.force_flush()
    assert [dict(span.attributes or {}) for span in program.spans.get_finished_spans()] == [{"note": "[redacted]"}] * 2
    running = module.running()
    assert running is not None
    assert running.health.actions() == {("max_reads", "replaced"): 2}


def test_exporters_that_are_added_later_get_clean_data_too(program: Program, fake_posthog: FakePostHog) -> None:
    """Separation does not depend on who was first."""
    configure(api_key="phc_test", host=fake_posthog.url, **program.providers)
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    program.traces.add_span_processor(SimpleSpanProcessor(spans))
    program.loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    program.work()
    program.loggers.get_logger("l").emit(body="write to ada@example.org")
    assert [dict(span.attributes or {}) for span in spans.get_finished_spans()] == [{"note": "[email]"}]
    assert [item.log_record.body for item in logs.get_finished_logs()] == ["write to [email]"]
    if hasattr(program.meters, "add_metric_reader"):
        reader = InMemoryMetricReader()
        program.meters.add_metric_reader(reader)
        program.meters.get_meter("m").create_counter("orders").add(1, {"customer": "ada@example.org"})
        data = reader.get_metrics_data()
        assert data is not None
        assert "ada@" not in data.to_json()


def test_a_second_call_changes_nothing_and_says_so(
    program: Program, fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """Two integrations at once: nothing is sent twice."""
    caplog.set_level(logging.INFO)
    for _ in range(2):
        configure(api_key="phc_test", host=fake_posthog.url, **program.providers)
    program.work()
    assert otel_posthog.flush(5)
    assert len(fake_posthog.events) == 2
    assert "set up already" in caplog.text
    assert "has been created already" not in caplog.text


def test_tracers_made_before_get_the_sampler_too(
    program: Program, fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A product event of an unsampled span arrives also from a tracer that was made first; no span is exported."""
    program.close()
    late = Program(sampler=ALWAYS_OFF)
    tracer = late.traces.get_tracer("early")
    configure(api_key="phc_test", host=fake_posthog.url, **late.providers)
    tracer.start_span("op", attributes={"analytics.event": "e"}).end()
    assert otel_posthog.flush(5)
    assert len(fake_posthog.events) == 1
    assert late.spans.get_finished_spans() == ()
    late.close()
    monkeypatch.setattr(program, "close", lambda: None)


@pytest.mark.parametrize("word", ["off", "marked"])
def test_what_the_sampler_lifts_is_the_variables_to_say(
    word: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`OTEL_POSTHOG_SAMPLER` may be `marked`, or `off`: then no dropped span becomes an event."""
    monkeypatch.setenv("OTEL_POSTHOG_SAMPLER", word)
    configure(api_key="phc_test", host="http://127.0.0.1:9", **program.providers)
    sampler: object = program.traces.sampler
    assert isinstance(sampler, AnalyticsSampler)
    assert sampler.lift is Lift(word)


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        ({"api_key": "phx_personal"}, {}, "use the project's key, which begins with phc_"),
        ({"api_key": "phc_ x"}, {}, "copy the project's key again"),
        (
            {"policy": Policy(destinations=(Destination(api_key="phx_x"),))},
            {},
            "api_key of the destination default in the policy is a personal",
        ),
        ({"host": "eu.i.posthog.com"}, {}, "host is not a URL; write e.g. host=https://eu.i.posthog.com"),
        ({}, {"POSTHOG_HOST": "ftp://x"}, "POSTHOG_HOST is not a URL"),
        ({}, {"ANALYTICS_ANONYMIZE_USER_IDS": "perhaps"}, "must be true or false"),
        ({}, {"OTEL_POSTHOG_SAMPLER": "some"}, "must be all, marked or off"),
        ({"policy": "/nowhere.yaml"}, {}, "/nowhere.yaml: the policy cannot be read"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_bad_configuration_is_one_clear_line(
    options: dict[str, Any], environ: dict[str, str], words: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`configure()` raises what, where and what to write instead, and attaches nothing."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        configure(**options, **program.providers)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert module.running() is None


def test_a_policy_error_names_file_and_line(program: Program, tmp_path: Path) -> None:
    """A mistake in a policy file is a `PolicyError` with its line."""
    path = tmp_path / "p.yaml"
    path.write_text("version: 1\nidentity: who\n", encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        configure(policy=path, **program.providers)
    assert (caught.value.line, caught.value.path) == (2, str(path))


def test_without_an_sdk_one_line_says_what_is_missing(
    program: Program,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With no provider of the SDK's nothing crashes, and the line names what is not seen."""
    configure(api_key="phc_test", host="http://127.0.0.1:9")
    assert "no OpenTelemetry SDK provider for spans and log-based events and capture()" in caplog.text


def test_an_exporter_that_cannot_be_wrapped_is_named(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    """A processor of somebody's own making is told of once, with what to do."""

    class Own(SpanProcessor):
        """Exports in a way of its own."""

        def on_end(self, span: ReadableSpan) -> None:
            """Export it."""

    program.traces.add_span_processor(Own())
    configure(**program.providers)
    assert "Own has no exporter that can be wrapped" in caplog.text


def test_the_parts_work_by_themselves_and_with_configure(
    program: Program, fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set-up put together by hand does the same, and `configure()` after it adds nothing twice."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    spans = InMemorySpanExporter()
    program.traces.add_span_processor(otel_posthog.AnalyticsSpanProcessor())
    program.traces.add_span_processor(SimpleSpanProcessor(otel_posthog.OperationalSpanExporter(spans)))
    program.loggers.add_log_record_processor(otel_posthog.AnalyticsLogRecordProcessor())
    configure(**program.providers)
    program.work()
    assert otel_posthog.flush(5)
    assert len(fake_posthog.events) == 2
    assert [dict(span.attributes or {}) for span in spans.get_finished_spans()] == [{"note": "[email]"}]


def test_shutdown_stops_sending_and_goes_on_stripping(program: Program, fake_posthog: FakePostHog) -> None:
    """After `shutdown()` events are dropped and counted; the operational side stays clean."""
    configure(api_key="phc_test", host=fake_posthog.url, **program.providers)
    assert otel_posthog.shutdown(5)
    program.work()
    assert fake_posthog.events == []
    running = module.running()
    assert running is not None
    assert running.health.snapshot()["dropped", "after_shutdown"] == 2
    assert b"analytics" not in str([span.to_json() for span in program.spans.get_finished_spans()]).encode()


def test_notice_text_tells_of_the_policy_in_force(program: Program) -> None:
    """A user interface shows what is really collected."""
    configure(policy=Policy(), api_key="phc_test", host="http://127.0.0.1:9", **program.providers)
    assert "USAGE_STATS=false" in otel_posthog.notice_text()
    otel_posthog.replace_policy(replace(Policy(), identity=IdentityMode.UNLINKED))
    assert "nothing in it says which events" in otel_posthog.notice_text()


@pytest.mark.usefixtures("not_set_up")
def test_notice_text_before_set_up_tells_of_the_policy_that_will_be_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a program shows before it collects anything is not of the built-in policy but of its own."""
    path = tmp_path / "policy.yaml"
    path.write_text("identity: identified\ncollection: {off_switches: [ALGA_STATS]}\n", encoding="utf-8")
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    own = otel_posthog.notice_text(policy=str(path))
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(path))
    assert otel_posthog.notice_text() == own
    assert "ALGA_STATS=false" in own
    assert "carry the ids of users" in own
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY", "unlinked")
    assert "carry the ids of users" not in otel_posthog.notice_text()


@pytest.mark.parametrize("environ", [{}, {"OTEL_POSTHOG_SAMPLER": "off"}, {"USAGE_STATS": "false"}])
def test_a_sampler_of_ours_that_was_named_is_not_wrapped_again_and_taken_off_where_nothing_is_collected(
    environ: dict[str, str], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`OTEL_TRACES_SAMPLER=posthog` beside a set-up: one sampler of ours, or none where it has nothing to do."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    program.traces.sampler = AnalyticsSampler(ALWAYS_ON)
    configure(api_key="phc_test", host="http://127.0.0.1:9", **program.providers)
    sampler: object = program.traces.sampler
    if "USAGE_STATS" in environ:
        assert sampler is ALWAYS_ON
    else:
        assert isinstance(sampler, AnalyticsSampler)
        assert sampler.inner is ALWAYS_ON
        assert sampler.lift is (Lift.OFF if environ else Lift.ALL)


def test_integrations_beside_each_other_submit_each_event_once(program: Program, fake_posthog: FakePostHog) -> None:
    """Exporters before and after, and a second processor: what one has taken is no other's any more."""
    program.traces.add_span_processor(SimpleSpanProcessor(otel_posthog.PostHogSpanExporter()))
    program.loggers.add_log_record_processor(BatchLogRecordProcessor(otel_posthog.PostHogLogRecordExporter()))
    configure(api_key="phc_test", host=fake_posthog.url, **program.providers)
    program.traces.add_span_processor(otel_posthog.AnalyticsSpanProcessor())
    program.loggers.add_log_record_processor(SimpleLogRecordProcessor(otel_posthog.PostHogLogRecordExporter()))
    program.loggers.get_logger("l").emit(event_name="analytics.logged")
    span = program.traces.get_tracer("t").start_span("op", attributes={"analytics.event": "e"})
    # The 129th evicts the marker, which whoever saw the start remembers.
    span.set_attributes({f"k{number}": number for number in range(128)})
    span.end()
    for provider in (program.traces, program.loggers):
        assert provider.force_flush()
    running = module.running()
    assert running is not None
    received = {reason: count for (kind, reason), count in running.health.snapshot().items() if kind == "received"}
    assert received == {"span": 1, "log": 1}
