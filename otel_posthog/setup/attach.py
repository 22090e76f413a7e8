"""Puts the package's parts into the providers that the app already has.

Comes in: a pipeline, or none where collection is off. Goes out: nothing. Runs once at start, before tracers are made if
it can. Taking product data off the operational side is put in place in any case, collection or not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_posthog.errors import Guard
from otel_posthog.intake import AnalyticsSampler, Lift, LogIntake, SpanIntake
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
    log_processors,
    metric_readers,
    prepare_added,
    rewire_sampler,
    span_processors,
    wrap_exporter,
    wrap_reader,
)

_log = logging.getLogger("otel_posthog")


def attach_tracing(
    provider: object, redactor: Redactor, guard: Guard, *, pipeline: Pipeline | None, lift: Lift | None
) -> bool:
    """Attach to a tracer provider; return False where it is not the SDK's."""
    if not isinstance(provider, TracerProvider):
        return False
    _prepare(provider, "add_span_processor", span_processors, _wrapping(RedactingSpanExporter, redactor, guard), guard)
    if not any(isinstance(each, SpanIntake) for each in span_processors(provider)):
        submit, flush, close = outlets(pipeline)
        provider.add_span_processor(
            SpanIntake(submit, detach, guard, flush=flush, close=close, exceptions=exceptions_of(pipeline))
        )
    if pipeline is not None and lift is not None:
        rewire_sampler(provider, partial(AnalyticsSampler, lift=lift))
    return True


def attach_logging(provider: object, redactor: Redactor, guard: Guard, *, pipeline: Pipeline | None) -> bool:
    """Attach to a logger provider; return False where it is not the SDK's."""
    if not isinstance(provider, LoggerProvider):
        return False
    wrap = _wrapping(RedactingLogRecordExporter, redactor, guard)
    _prepare(provider, "add_log_record_processor", log_processors, wrap, guard)
    if pipeline is not None and not any(isinstance(each, LogIntake) for each in log_processors(provider)):
        submit, flush, close = outlets(pipeline)
        provider.add_log_record_processor(
            LogIntake(submit, guard, flush=flush, close=close, exceptions=exceptions_of(pipeline))
        )
    return True


def attach_metrics(provider: object, redactor: Redactor, guard: Guard) -> bool:
    """Attach to a meter provider; return False where it is not the SDK's."""
    if not isinstance(provider, MeterProvider):
        return False
    redact = MetricRedactor(redactor, guard).redact

    def wrap(reader: object) -> None:
        if not wrap_reader(reader, redact):
            _tell_unwrapped(reader)

    _prepare(provider, "add_metric_reader", metric_readers, wrap, guard)
    return True


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
    provider: object, add_name: str, present: Callable[[object], Iterable[object]], wrap: _Wrap, guard: Guard
) -> None:
    """Wrap what the provider has, and whatever is added to it later: separation must not depend on the order."""
    for each in present(provider):
        wrap(each)

    def wrap_added(item: object) -> None:
        try:
            wrap(item)
        except Exception as error:
            guard.caught("wrap_added", error)

    prepare_added(provider, add_name, wrap_added)


def _wrapping(wrapper: _Wrapper, redactor: Redactor, guard: Guard) -> _Wrap:
    """Return what wraps the exporter that a processor has, unless it is wrapped already."""

    def wrapped(exporter: Any) -> object:
        return exporter if isinstance(exporter, wrapper) else wrapper(exporter, redactor, guard)

    def wrap(holder: object) -> None:
        if not isinstance(holder, (SpanIntake, LogIntake)) and not wrap_exporter(holder, wrapped):
            _tell_unwrapped(holder)

    return wrap


def _tell_unwrapped(holder: object) -> None:
    _log.warning(
        "%s.%s has no exporter that can be wrapped: if it sends anything, that is not redacted; wrap its exporter in "
        "otel_posthog.OperationalSpanExporter, OperationalLogRecordExporter or OperationalMetricExporter",
        type(holder).__module__,
        type(holder).__qualname__,
    )


def _nowhere(_: Signal) -> None:
    """Drop a signal while collection is off; nothing is counted, since nothing was asked for."""


def _nothing_to_flush(_: float) -> bool:
    return True


def _nothing_to_close() -> None:
    """Do nothing: there is no pipeline."""
