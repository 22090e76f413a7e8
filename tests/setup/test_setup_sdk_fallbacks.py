"""What happens where a later SDK has moved a private name: the package knows less, and sends no more."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import cast

import pytest
from opentelemetry import _logs, context, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import TraceFlags

import otel_posthog
from otel_posthog import AnalyticsSampler, sdk
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import SpanIntake
from otel_posthog.model import Signal
from otel_posthog.operational import detach
from otel_posthog.sdk import forks, providers
from otel_posthog.setup import configure as module

# Every private name of the SDK or the API that is reached for, and where this version has it.
PLACES: dict[str, Callable[[], object]] = {
    "SpanProcessor._on_ending": lambda: SpanProcessor._on_ending,
    "Span._attributes": lambda: started()._attributes,
    "Span._attributes._dict": lambda: getattr(started()._attributes, "_dict"),  # noqa: B009
    "Span._context": lambda: started()._context,
    "Span._end_time": lambda: ended()._end_time,
    "Span._resource": lambda: started()._resource._attributes,
    "Span._events": lambda: started()._events,
    "Span._span_processor": lambda: started()._span_processor,
    "Span._links": lambda: started()._links,
    "TracerProvider._active_span_processor": lambda: TracerProvider()._active_span_processor,
    "TracerProvider._tracers": lambda: TracerProvider()._tracers,
    "LoggerProvider._multi_log_record_processor": lambda: LoggerProvider()._multi_log_record_processor,
    "MeterProvider._measurement_consumer": lambda: MeterProvider()._measurement_consumer,
    "MetricReader._receive_metrics": lambda: MetricReader._receive_metrics,
    "context._SUPPRESS_INSTRUMENTATION_KEY": lambda: context._SUPPRESS_INSTRUMENTATION_KEY,
    "trace._TRACER_PROVIDER": lambda: hasattr(trace, "_TRACER_PROVIDER") or None,
    "trace._set_tracer_provider": lambda: trace._set_tracer_provider,
    "_logs._internal._set_logger_provider": lambda: _logs._internal._set_logger_provider,
    "metrics._internal._set_meter_provider": lambda: metrics._internal._set_meter_provider,
}


def started() -> Span:
    """Return a recording span."""
    span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("n", attributes={"k": 1})
    assert isinstance(span, Span)
    return span


def ended() -> Span:
    """Return a span that has ended."""
    span = started()
    span.end()
    return span


@pytest.mark.parametrize("name", PLACES)
def test_this_sdk_has_the_private_name(name: str) -> None:
    """A release that moves one fails here, by its name; the rest of this file says what users then have."""
    assert PLACES[name]() is not None


class Moved:
    """A span as a later SDK might keep it: the public names only."""

    name = "n"
    attributes = MappingProxyType({"analytics.event": "e", "k": 1})
    events = (SimpleNamespace(name="x", attributes={}, timestamp=1),)
    dropped_attributes = 0
    context = SimpleNamespace(trace_id=7, span_id=8, trace_flags=TraceFlags(1))
    end_time = 9
    resource = SimpleNamespace(attributes={"service.name": "s"})


def test_attributes_and_events_are_read_the_public_way() -> None:
    """Without `_attributes` and `_events` a span is read through its properties."""
    span: ReadableSpan = Moved()  # type: ignore[assignment]
    assert sdk.span_attributes(span) == {"analytics.event": "e", "k": 1}
    assert [each.name for each in sdk.span_events(span)] == ["x"]
    assert sdk.span_end(span) == (7, 8, 9, {"service.name": "s"}, True)


def test_a_span_that_cannot_be_changed_is_stripped_by_the_exporters() -> None:
    """Replacing what is not where it was raises, which intake counts; the wrapped exporter does the stripping."""
    with pytest.raises(AttributeError):
        sdk.replace_attributes(Moved(), {})  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        sdk.replace_events(Moved(), [])  # type: ignore[arg-type]


def test_without_the_ending_hook_spans_are_read_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `_on_ending` is not called, `on_end` submits; the wrapped exporters strip."""
    monkeypatch.setattr(SpanIntake, "_on_ending", lambda *_: None)
    got: list[Signal] = []
    intake = SpanIntake(got.append, detach, Guard(Health()), flush=lambda _: True, close=lambda: None)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(intake)
    provider.get_tracer("t").start_span("n", attributes={"analytics.event": "e"}).end()
    assert [signal.name for signal in got] == ["e"]


def test_without_a_list_of_tracers_later_ones_get_the_sampler() -> None:
    """Before 1.41 the provider does not know its tracers: those made before keep the sampler they have."""
    provider = SimpleNamespace(sampler=ALWAYS_OFF)
    sdk.rewire_sampler(provider, AnalyticsSampler)  # type: ignore[arg-type]
    assert isinstance(provider.sampler, AnalyticsSampler)


@pytest.mark.parametrize("ask", [sdk.span_processors, sdk.log_processors, sdk.metric_readers])
def test_a_provider_that_does_not_show_what_it_holds_is_told_from_an_empty_one(
    ask: Callable[[object], object],
) -> None:
    """None is not the same as nothing: it is said, so that exporters can be wrapped by hand."""
    assert ask(SimpleNamespace()) is None


def test_a_provider_that_does_not_show_what_it_holds_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says that its exporters are not wrapped and what to do; spans are stripped as they end all the same."""
    monkeypatch.setattr("otel_posthog.setup.providers.span_processors", lambda _: None)
    monkeypatch.setattr(module, "_running", None)
    monkeypatch.setattr(module, "_is_attached", False)
    spans = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    otel_posthog.configure(tracer_provider=provider)
    provider.get_tracer("t").start_span("n", attributes={"analytics.event": "e", "k": 1}).end()
    assert [dict(span.attributes or {}) for span in spans.get_finished_spans()] == [{"k": 1}]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([line for line in told if "does not show what a TracerProvider holds; wrap its exporter" in line]) == 1


def test_setting_a_provider_is_seen_at_the_public_function_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the API has no inner function, the public one is watched: who imported it by name before is not seen."""
    public = SimpleNamespace(set_tracer_provider=lambda provider: provider)
    monkeypatch.setattr(providers, "trace", public)
    for name in ("logs_api", "metrics_api"):
        monkeypatch.setattr(providers, name, SimpleNamespace())
    seen: list[object] = []
    assert sdk.on_provider_set(seen.append) is False
    assert public.set_tracer_provider("a provider") == "a provider"
    assert seen == ["a provider"]


def test_an_item_that_cannot_be_marked_is_everybodys() -> None:
    """With slots instead of a dict nothing is lost: each integration submits it, with the same uuid."""

    class Slotted:
        """Takes no further attribute."""

        __slots__ = ()

    item = Slotted()
    assert [sdk.is_first_to_take(item) for _ in range(2)] == [True, True]
    markable = SimpleNamespace()
    assert [sdk.is_first_to_take(markable) for _ in range(2)] == [True, False]


def test_looking_beneath_a_proxy_never_raises() -> None:
    """Whatever a foreign object does when it is looked at; and a proxy of itself ends the search."""

    class Hostile:
        """Raises at every look."""

        def __getattr__(self, name: str) -> object:
            raise RuntimeError(name)

    endless = SimpleNamespace()
    endless.provider = endless
    assert sdk.beneath(Hostile(), TracerProvider) is None
    assert sdk.beneath(endless, TracerProvider) is None


def test_without_the_forks_function_or_lock_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SDK that reads no resource in a child has none that waits; nor has a thread pool without that lock."""
    read: list[int] = []
    module = SimpleNamespace(_get_process_dependent_resource=lambda: read.append(os.getpid()))
    monkeypatch.setattr(forks, "_MODULES", ("absent", "there"))
    monkeypatch.setitem(sys.modules, "there", cast("ModuleType", module))
    forks.keep_children_from_waiting()
    monkeypatch.delattr("concurrent.futures.thread._global_shutdown_lock")
    monkeypatch.setattr(os, "getpid", lambda: 7)
    module._get_process_dependent_resource()
    assert read == [7]
