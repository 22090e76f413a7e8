"""Puts the package's parts into the providers that the app already has.

Comes in: a pipeline, or none where collection is off. Goes out: nothing. Runs once at start, before tracers are made if
it can. Taking product data off the operational side is put in place in any case, collection or not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_posthog.errors import Guard
from otel_posthog.intake import AnalyticsSampler, Lift, LogExportIntake, LogIntake, SpanExportIntake, SpanIntake
from otel_posthog.model import Close, Flush, Signal, Submit
from otel_posthog.operational import (
    MetricRedactor,
    RedactingLogRecordExporter,
    RedactingSpanExporter,
    Redactor,
    detach,
)
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import ExceptionPolicy
from otel_posthog.sdk import (
    add_past_provider,
    log_processors,
    metric_readers,
    prepare_added,
    rewire_sampler,
    set_apart,
    span_processors,
    stand_before_export,
    wrap_exporter,
    wrap_reader,
)
from otel_posthog.setup.unwrapped import WRAP_IT, note_unwrapped, tell_unwrapped

_log = logging.getLogger("otel_posthog")


def attach_tracing(
    provider: TracerProvider, redactor: Redactor, guard: Guard, *, pipeline: Pipeline | None, lift: Lift | None
) -> None:
    """Attach to a tracer provider."""
    _prepare(provider, "add_span_processor", span_processors, _wrapping(RedactingSpanExporter, redactor, guard), guard)
    submit, flush, close = outlets(pipeline)
    intake = SpanIntake(submit, detach, guard, flush=flush, close=close, exceptions=exceptions_of(pipeline))
    if set_apart(provider, intake):
        _attach_sampler(provider, None if pipeline is None else lift)
    else:
        provider.add_span_processor(intake)
        _attach_sampler(provider, None)
        _log.warning(
            "spans that the sampler drops cannot be kept from the processors of this %s: they are not recorded, and "
            "product events on them are not seen",
            type(provider).__name__,
        )


def _attach_sampler(provider: TracerProvider, lift: Lift | None) -> None:
    """Have unsampled spans recorded as `lift` says; none where it is None, also if a sampler of ours was named."""
    present = provider.sampler
    if isinstance(present, AnalyticsSampler):
        if lift is None:
            rewire_sampler(provider, lambda _: present.inner)
        elif lift is Lift.OFF:
            rewire_sampler(provider, lambda _: AnalyticsSampler(present.inner, lift))
    elif lift is not None:
        rewire_sampler(provider, partial(AnalyticsSampler, lift=lift))


def attach_logging(provider: LoggerProvider, redactor: Redactor, guard: Guard, *, pipeline: Pipeline | None) -> None:
    """Attach to a logger provider."""
    wrap = _wrapping(RedactingLogRecordExporter, redactor, guard)
    _prepare(provider, "add_log_record_processor", log_processors, wrap, guard)
    if pipeline is not None and not _has(LogIntake, log_processors(provider)):
        submit, flush, close = outlets(pipeline)
        intake = LogIntake(submit, guard, flush=flush, close=close, exceptions=exceptions_of(pipeline))
        add_past_provider(provider, "_multi_log_record_processor", "add_log_record_processor", intake)


def attach_metrics(provider: MeterProvider, redactor: Redactor, guard: Guard) -> None:
    """Attach to a meter provider."""
    redact = MetricRedactor(redactor, guard).redact

    def wrap(reader: object) -> None:
        if not wrap_reader(reader, redact):
            note_unwrapped(reader)

    _prepare(provider, "add_metric_reader", metric_readers, wrap, guard)


def outlets(pipeline: Pipeline | None) -> tuple[Submit, Flush, Close]:
    """Return where intake hands signals to; without a pipeline, while collection is off, nothing becomes of them."""
    if pipeline is None:
        return _nowhere, _nothing_to_flush, _nothing_to_close
    return pipeline.submit, pipeline.flush, pipeline.flush_for_exit


def exceptions_of(pipeline: Pipeline | None) -> Callable[[], ExceptionPolicy]:
    """Return what tells intake of the policy on exceptions that is in force."""
    return ExceptionPolicy if pipeline is None else lambda: pipeline.policy.exceptions


_Wrapper = type[RedactingSpanExporter] | type[RedactingLogRecordExporter]
_Wrap = Callable[[object], None]


def _prepare(
    provider: object, add_name: str, present: Callable[[object], Sequence[object] | None], wrap: _Wrap, guard: Guard
) -> None:
    """Wrap what the provider has, and whatever is added to it later: separation must not depend on the order."""
    held = present(provider)
    if held is None:
        _log.warning("this OpenTelemetry SDK does not show what a %s holds; %s", type(provider).__name__, WRAP_IT)
    for each in held or ():
        wrap(each)
    prepare_added(provider, add_name, _guarded(wrap, guard))


def _wrapping(wrapper: _Wrapper, redactor: Redactor, guard: Guard) -> _Wrap:
    """Return what wraps the exporter that a processor has, unless it is wrapped already."""

    def wrapped(exporter: Any) -> object:
        if isinstance(exporter, (SpanExportIntake, LogExportIntake, wrapper)):
            # It says so itself; what it gets is stripped or taken already.
            return exporter
        return stand_before_export(exporter, lambda inner: wrapper(inner, redactor.for_exporter(exporter), guard))

    def wrap(holder: object) -> None:
        if not isinstance(holder, (SpanIntake, LogIntake)) and not wrap_exporter(holder, wrapped, wrap_added):
            note_unwrapped(holder)

    wrap_added = _guarded(wrap, guard)
    return wrap


def _guarded(wrap: _Wrap, guard: Guard) -> _Wrap:
    """Return `wrap` for the host's own calls, into which nothing is raised."""

    def guarded(item: object) -> None:
        try:
            wrap(item)
            tell_unwrapped()
        except Exception as error:
            guard.caught("wrap_added", error)

    return guarded


def _has(kind: type, held: Sequence[object] | None) -> bool:
    return any(isinstance(each, kind) for each in held or ())


def _nowhere(_: Signal) -> None:
    """Drop a signal while collection is off; nothing is counted, since nothing was asked for."""


def _nothing_to_flush(_: float) -> bool:
    return True


def _nothing_to_close() -> None:
    """Do nothing: there is no pipeline."""
