"""Providers of other people's: what they hold stays what it is, and every exporter gets what it would without us.

Each class here does what one distribution does, in as few lines: phoenix.otel drops a default exporter and looks at the
one it has, Elastic's asks the provider's sampler what it is and sets its ratio, and its sampler hands no attributes on.
`tests/setups/test_setups_sdk.py` runs phoenix.otel and logfire themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from product import MAIL

import otel_posthog
from otel_posthog.intake import AnalyticsSampler, LogIntake
from otel_posthog.operational import RedactingSpanExporter
from otel_posthog.policy import OperationalPolicy, Policy
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.yaml_file import load_policy
from otel_posthog.setup import providers
from otel_posthog.testing import FakePostHog

pytestmark = pytest.mark.usefixtures("not_set_up")


@pytest.fixture
def configure(fake_posthog: FakePostHog) -> Callable[..., None]:
    """Return `configure()` with a key and a host."""

    def with_key(**providers: Any) -> None:
        otel_posthog.configure(api_key="phc_test", host=fake_posthog.url, **providers)

    return with_key


class DropsDefault(TracerProvider):
    """Has an exporter until a processor is added."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        super().__init__(shutdown_on_exit=False)
        self._default: SpanProcessor | None = SimpleSpanProcessor(exporter)
        super().add_span_processor(self._default)

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Drop the default one first."""
        if self._default is not None:
            self._default.shutdown()
            self._active_span_processor._span_processors = ()
            self._default = None
        super().add_span_processor(span_processor)


class LogsDropDefault(LoggerProvider):
    """The same for logs."""

    def __init__(self, exporter: InMemoryLogRecordExporter) -> None:
        super().__init__(shutdown_on_exit=False)
        self._default: LogRecordProcessor | None = SimpleLogRecordProcessor(exporter)
        super().add_log_record_processor(self._default)

    def add_log_record_processor(self, log_record_processor: LogRecordProcessor) -> None:
        """Drop the default one first."""
        if self._default is not None:
            self._multi_log_record_processor._log_record_processors = ()
            self._default = None
        super().add_log_record_processor(log_record_processor)


def test_a_provider_that_drops_its_exporter_when_one_is_added_keeps_it(
    configure: Callable[..., None], fake_posthog: FakePostHog
) -> None:
    """Set-up adds nothing by the provider's own method; what the app adds still does what its owner says."""
    spans, logs, later = InMemorySpanExporter(), InMemoryLogRecordExporter(), InMemorySpanExporter()  # type: ignore[no-untyped-call]
    tracers, loggers = DropsDefault(spans), LogsDropDefault(logs)
    configure(tracer_provider=tracers, logger_provider=loggers)
    tracers.get_tracer("t").start_span("n", attributes={"analytics.event": "spanned", "to": MAIL}).end()
    loggers.get_logger("l").emit(body=f"written to {MAIL}")
    loggers.get_logger("l").emit(event_name="analytics.emitted")
    assert [dict(each.attributes or {}) for each in spans.get_finished_spans()] == [{"to": "[email]"}]
    assert [each.log_record.body for each in logs.get_finished_logs()] == ["written to [email]"]
    assert otel_posthog.flush()
    assert {each.event for each in fake_posthog.events} == {"spanned", "emitted"}
    tracers.add_span_processor(SimpleSpanProcessor(later))
    tracers.get_tracer("t").start_span("m", attributes={"to": MAIL}).end()
    assert len(spans.get_finished_spans()) == 1
    assert [dict(each.attributes or {}) for each in later.get_finished_spans()] == [{"to": "[email]"}]


class Endpoint(InMemorySpanExporter):
    """An exporter that its owner looks at and changes."""

    _endpoint = "http://127.0.0.1:9"


@pytest.mark.parametrize("kind", [BatchSpanProcessor, SimpleSpanProcessor])
def test_an_exporter_is_what_it_was(kind: Callable[[Any], Any], configure: Callable[..., None]) -> None:
    """Its owner finds the same object, of the same class, whether it was added before or after us."""
    for is_before in (True, False):
        exporter = Endpoint()
        processor, provider = kind(exporter), TracerProvider(shutdown_on_exit=False)
        if is_before:
            provider.add_span_processor(processor)
            configure(tracer_provider=provider)
        else:
            configure(tracer_provider=provider)
            provider.add_span_processor(processor)
        held = getattr(getattr(processor, "_batch_processor", None), "_exporter", None) or processor.span_exporter
        assert held is exporter
        assert held._endpoint == "http://127.0.0.1:9"
        provider.get_tracer("t").start_span("n", attributes={"to": MAIL}).end()
        provider.force_flush()
        assert [dict(each.attributes or {}) for each in exporter.get_finished_spans()] == [{"to": "[email]"}]
        provider.shutdown()


def test_a_log_exporter_is_what_it_was(configure: Callable[..., None]) -> None:
    """The same for logs."""
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    processor, provider = BatchLogRecordProcessor(exporter), LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    configure(logger_provider=provider)
    assert processor._batch_processor._exporter is exporter
    provider.get_logger("l").emit(body=MAIL)
    provider.force_flush()
    assert [each.log_record.body for each in exporter.get_finished_logs()] == ["[email]"]
    provider.shutdown()


def test_one_exporter_of_two_processors_is_prepared_once(configure: Callable[..., None]) -> None:
    """Each span twice, as its owner wants it, and clean."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    for _ in range(2):
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    configure(tracer_provider=provider)
    provider.get_tracer("t").start_span("n", attributes={"to": MAIL}).end()
    assert [dict(each.attributes or {}) for each in exporter.get_finished_spans()] == [{"to": "[email]"}] * 2


def test_an_exporter_that_takes_no_method_is_wrapped(configure: Callable[..., None]) -> None:
    """One with slots, say: the wrapper stands in its place."""
    inner = InMemorySpanExporter()

    class Slotted:
        """Takes no further attribute."""

        __slots__ = ()

        def export(self, spans: Any) -> Any:
            """Hand on."""
            return inner.export(spans)

        def shutdown(self) -> None:
            """End nothing."""

    provider = TracerProvider(shutdown_on_exit=False)
    processor = SimpleSpanProcessor(Slotted())  # type: ignore[arg-type]
    provider.add_span_processor(processor)
    configure(tracer_provider=provider)
    assert isinstance(processor.span_exporter, RedactingSpanExporter)
    provider.get_tracer("t").start_span("n", attributes={"to": MAIL}).end()
    assert [dict(each.attributes or {}) for each in inner.get_finished_spans()] == [{"to": "[email]"}]


class Adjustable(Sampler):
    """A sampler that its owner finds by its class and adjusts while the program runs; it hands no attributes on."""

    def __init__(self) -> None:
        self.decision = Decision.RECORD_AND_SAMPLE

    def should_sample(self, parent_context: Context | None, *args: Any, **kwargs: Any) -> SamplingResult:
        """Return the decision."""
        return SamplingResult(self.decision, {"sampler": "said"})

    def get_description(self) -> str:
        """Return its name."""
        return "Adjustable"

    def set_decision(self, decision: Decision) -> None:
        """Have another one from now on."""
        self.decision = decision


def test_a_sampler_is_what_it_was_for_its_owner(configure: Callable[..., None], fake_posthog: FakePostHog) -> None:
    """Found by its class and adjusted; and a span that it starts without attributes is a product event all the same."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=Adjustable(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    configure(tracer_provider=provider)
    assert isinstance(provider.sampler, Adjustable)
    for number, decision in enumerate(Decision):
        provider.sampler.set_decision(decision)
        attributes: dict[str, str | int] = {"analytics.event": f"e{number}", "analytics.n": number, "kept": True}
        provider.get_tracer("t").start_span(decision.name, attributes=attributes).end()
    spans = [(each.name, dict(each.attributes or {})) for each in exporter.get_finished_spans()]
    assert spans == [("RECORD_AND_SAMPLE", {"sampler": "said"})]
    assert otel_posthog.flush()
    assert {(each.event, each.properties["n"]) for each in fake_posthog.events} == {("e0", 0), ("e1", 1), ("e2", 2)}


@pytest.mark.parametrize("is_named", [True, False])
def test_what_is_added_by_name_is_prepared_too(is_named: bool, configure: Callable[..., None]) -> None:
    """`add_span_processor(span_processor=...)`: by its name or by its place."""
    tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    configure(tracer_provider=tracers, logger_provider=loggers)
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    if is_named:
        tracers.add_span_processor(span_processor=SimpleSpanProcessor(spans))
        loggers.add_log_record_processor(log_record_processor=SimpleLogRecordProcessor(logs))
    else:
        tracers.add_span_processor(SimpleSpanProcessor(spans))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    tracers.get_tracer("t").start_span("n", attributes={"to": MAIL}).end()
    loggers.get_logger("l").emit(body=MAIL)
    assert [dict(each.attributes or {}) for each in spans.get_finished_spans()] == [{"to": "[email]"}]
    assert [each.log_record.body for each in logs.get_finished_logs()] == ["[email]"]
    assert any(isinstance(each, LogIntake) for each in loggers._multi_log_record_processor._log_record_processors)


def test_a_sampler_of_ours_is_still_told_from_others() -> None:
    """It passes for the one inside, and is ours."""
    made = AnalyticsSampler(Adjustable())
    assert isinstance(made, AnalyticsSampler)
    assert isinstance(made, Adjustable)
    with pytest.raises(AttributeError):
        made.absent  # noqa: B018


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return our warnings but the one on providers that there are none of."""
    lines = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    return [each for each in lines if not each.startswith("no OpenTelemetry SDK")]


def kinds() -> tuple[type[SpanProcessor], type[SpanProcessor], type[LogRecordProcessor]]:
    """Return vendors' processors that nobody was told of: one that adds to spans, one that may send, one of logs."""

    class Adds(SpanProcessor):
        def on_start(self, span: Any, parent_context: Context | None = None) -> None:
            span.set_attribute("added", 1)

    class Counts(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            """Count it, or send it somewhere."""

    class Logs(LogRecordProcessor):
        def on_emit(self, log_record: Any) -> None:
            """Count it, or send it somewhere."""

        def shutdown(self) -> None:
            """End nothing."""

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return True

    return Adds, Counts, Logs


def test_what_cannot_be_wrapped_is_told_once_and_only_where_something_could_leak(
    configure: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """One line names them all; processors that only add to spans that start are none of them; later ones get a line."""
    adds, counts, logs = kinds()
    _, later, _ = kinds()
    tracers, loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    for kind in (adds, counts, counts):
        tracers.add_span_processor(kind())
    loggers.add_log_record_processor(logs())
    configure(tracer_provider=tracers, logger_provider=loggers)
    (line,) = told(caplog)
    assert "Adds" not in line
    assert line.count("Counts") == line.count("Logs") == 1
    caplog.clear()
    for kind in (adds, counts, later, later):
        tracers.add_span_processor(kind())
    (line,) = told(caplog)
    assert "Counts has no exporter that can be wrapped" in line


def test_a_provider_that_is_not_the_sdks_is_told_to_be_left_as_it_is(
    configure: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """As ddtrace's: not only that its events are not seen, but that what it sends is not stripped; an app may have two.

    The API's own providers, which do nothing, are not meant, nor proxies of somebody's with nothing behind them yet.
    """

    class Theirs(trace.TracerProvider):
        def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
            return trace.NoOpTracer()

    class Proxy(Theirs):
        provider = trace.NoOpTracerProvider()

    configure(tracer_provider=Proxy())
    assert told(caplog) == []
    for _ in range(2):
        providers._attach_latest(Theirs())
    (line,) = told(caplog)
    assert "Theirs is not a provider of OpenTelemetry's SDK" in line
    assert "not seen" in line
    assert "not stripped" in line


class LangfuseExporter(InMemorySpanExporter):
    """An exporter of a tool that is about users and sessions."""


@pytest.mark.parametrize("name", ["LangfuseExporter", f"{__name__}.LangfuseExporter"])
def test_a_policy_leaves_named_keys_to_a_named_exporter(name: str, configure: Callable[..., None]) -> None:
    """That one gets them as they are, the others do not, and nobody product data; another policy takes it back."""
    theirs, other = LangfuseExporter(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    for exporter in (theirs, other):
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    keys = FrozenMap({name: frozenset({"user.id", "session.id", "analytics.n"})})
    policy = Policy(operational=OperationalPolicy(exporter_keys=keys))
    configure(tracer_provider=provider, policy=policy)
    attributes: dict[str, str | int] = {
        "user.id": "u-1",
        "session.id": MAIL,
        "enduser.id": "u-1",
        "to": MAIL,
        "analytics.n": 1,
    }
    provider.get_tracer("t").start_span("n", attributes=attributes).end()
    (span,), (clean,) = theirs.get_finished_spans(), other.get_finished_spans()
    assert dict(span.attributes or {}) == {"user.id": "u-1", "session.id": MAIL, "to": "[email]"}
    assert dict(clean.attributes or {}) == {"to": "[email]"}
    assert otel_posthog.replace_policy(Policy())
    provider.get_tracer("t").start_span("m", attributes=attributes).end()
    assert dict(theirs.get_finished_spans()[1].attributes or {}) == {"to": "[email]"}


def test_a_policy_file_names_exporters(tmp_path: Path) -> None:
    """By name, each with its keys."""
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\noperational: {exporter_keys: {LangfuseExporter: [user.id, session.id]}}\n")
    assert load_policy(path).operational.exporter_keys == {"LangfuseExporter": frozenset({"user.id", "session.id"})}
