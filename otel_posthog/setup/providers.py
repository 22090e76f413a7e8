"""Finds the SDK's providers, whenever and by whom they are made, and attaches to each once.

Comes in: the providers that an integration names, else the global ones; later on those that the program makes global.
Goes out: nothing. Runs at start, before tracers are made if it can, and wherever the program sets a provider. Taking
product data off the operational side is put in place in any case, collection or not. Distributions may have put proxies
in front of the SDK's providers, and may exchange what is behind those.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
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
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.sdk import (
    add_past_provider,
    beneath,
    foreign,
    log_processors,
    metric_readers,
    on_provider_replaced,
    on_provider_set,
    prepare_added,
    put_in_front,
    rewire_sampler,
    span_processors,
    stand_before_export,
    wrap_exporter,
    wrap_reader,
)
from otel_posthog.setup.instruments import instrument
from otel_posthog.setup.log import WRAP_IT, log_foreign, log_unwrapped, note_unwrapped
from otel_posthog.setup.runtime import Runtime

_log = logging.getLogger("otel_posthog")

_attached: weakref.WeakSet[object] = weakref.WeakSet()
_latest: Runtime | None = None


class Providers(NamedTuple):
    """The providers to attach to; None stands for the global one."""

    tracer: object | None = None
    logger: object | None = None
    meter: object | None = None


def attach(providers: Providers, made: Runtime, *, is_first: bool) -> bool:
    """Attach `made` to `providers`, and to the global ones that the program sets later.

    Args:
        providers: What to attach to.
        made: What runs.
        is_first: Log what is missing.

    Returns:
        Whether any of them was not attached before.
    """
    tracer = providers.tracer or trace.get_tracer_provider()
    logger = providers.logger or get_logger_provider()
    count = len(_attached)
    for each in (tracer, logger, providers.meter or metrics.get_meter_provider()):
        _attach_one(each, made)
    log_unwrapped()
    _watch(made)
    if is_first and made.pipeline is not None:
        _log_missing(
            {
                "spans": beneath(tracer, TracerProvider) or foreign(tracer),
                "log-based events and capture()": beneath(logger, LoggerProvider) or foreign(logger),
            }
        )
    return len(_attached) > count


def _attach_one(provider: object, made: Runtime) -> None:
    """Attach to the SDK's provider that `provider` is or hides, whatever its kind, once; never raises."""
    try:
        found = _attach_unless_done(provider, made)
        others = foreign(provider)
        if others is not None:
            log_foreign(others)
        if found is not None and found is not provider:
            on_provider_replaced(provider, lambda new: _attach_one(new, made))
    except Exception as error:
        _log.error(
            "otel-posthog could not attach to the %s (%s): what it exports is not stripped; please report it",
            type(provider).__name__,
            type(error).__name__,
        )
        made.guard.caught("attach", error)


def _attach_unless_done(provider: object, made: Runtime) -> object | None:
    tracer, logger = beneath(provider, TracerProvider), beneath(provider, LoggerProvider)
    meter = beneath(provider, MeterProvider)
    found = tracer or logger or meter
    if found is None or found in _attached:
        return None
    # First of all, so that what fails half-way is not tried again on top of the half that worked.
    _attached.add(found)
    if tracer is not None:
        lift, light = made.settings.lift, made.settings.light_spans
        attach_tracing(tracer, made.redactor, made.guard, pipeline=made.pipeline, lift=lift, light=light)
    elif logger is not None:
        attach_logging(logger, made.redactor, made.guard, pipeline=made.pipeline)
    elif meter is not None:
        attach_metrics(meter, made.redactor, made.guard)
        instrument(meter, made.health)
    return found


def _watch(made: Runtime) -> None:
    """See the providers that the program makes global later; installed once in a process, for what ran last."""
    global _latest
    is_watching, _latest = _latest is not None, made
    if not is_watching:
        on_provider_set(_attach_latest)


def _attach_latest(provider: object) -> None:
    if _latest is not None:
        _attach_one(provider, _latest)
        log_unwrapped()


def _log_missing(found: dict[str, object | None]) -> None:
    missing = [what for what, provider in found.items() if provider is None]
    if missing:
        _log.warning(
            "no OpenTelemetry SDK provider for %s: product events from there are not seen until the program sets one "
            "(opentelemetry-distro does it; by hand: set_tracer_provider, set_logger_provider)",
            " and ".join(missing),
        )


def attach_tracing(  # noqa: PLR0913 - what differs between set-ups comes by keyword
    provider: TracerProvider,
    redactor: Redactor,
    guard: Guard,
    *,
    pipeline: Pipeline | None,
    lift: Lift | None,
    light: bool = True,
) -> None:
    """Attach to a tracer provider."""
    _prepare(provider, "add_span_processor", span_processors, _wrapping(RedactingSpanExporter, redactor, guard), guard)
    submit, flush, close = outlets(pipeline)
    rules = recogniser_of(pipeline)
    listens = pipeline is not None
    intake = SpanIntake(submit, detach, guard, flush=flush, close=close, recogniser=rules, light=light, listens=listens)
    if put_in_front(provider, intake):
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
    """Have unsampled spans recorded as `lift` says; where it is None none are, even if a sampler of ours was named."""
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
        intake = LogIntake(submit, guard, flush=flush, close=close, recogniser=recogniser_of(pipeline))
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


def recogniser_of(pipeline: Pipeline | None) -> Recogniser:
    """Return the rules in force; the built-in ones while collection is off, when nothing becomes of what they find."""
    return Recogniser(Policy()) if pipeline is None else pipeline.recogniser


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
            # One of ours: what it gets is stripped or taken already.
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
            log_unwrapped()
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
