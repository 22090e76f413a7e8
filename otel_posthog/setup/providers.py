"""Finds the SDK's providers, whoever made them and whenever, and attaches to each once.

Comes in: the providers that a door names, else the global ones; later on those that the program makes global. Goes out:
nothing. Runs at start, and wherever the program sets a provider. Distributions may have put proxies in front of the
SDK's, and may exchange what is behind those.
"""

from __future__ import annotations

import logging
import weakref
from dataclasses import dataclass

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_posthog.sdk import beneath, foreign, on_provider_replaced, on_provider_set
from otel_posthog.setup.attach import attach_logging, attach_metrics, attach_tracing
from otel_posthog.setup.instruments import instrument
from otel_posthog.setup.running import Running
from otel_posthog.setup.unwrapped import tell_foreign, tell_unwrapped

_log = logging.getLogger("otel_posthog")

_attached: weakref.WeakSet[object] = weakref.WeakSet()
_latest: Running | None = None


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers to attach to; None stands for the global one."""

    tracer: object | None = None
    logger: object | None = None
    meter: object | None = None


def attach(providers: Providers, made: Running, *, is_first: bool) -> bool:
    """Attach `made` to `providers`, and to the global ones that the program sets later.

    Args:
        providers: What to attach to.
        made: What runs.
        is_first: Tell what is missing.

    Returns:
        Whether any of them was not attached before.
    """
    tracer = providers.tracer or trace.get_tracer_provider()
    logger = providers.logger or get_logger_provider()
    count = len(_attached)
    for each in (tracer, logger, providers.meter or metrics.get_meter_provider()):
        _attach_one(each, made)
    tell_unwrapped()
    _watch(made)
    if is_first and made.pipeline is not None:
        _tell_missing(
            {
                "spans": beneath(tracer, TracerProvider) or foreign(tracer),
                "log-based events and capture()": beneath(logger, LoggerProvider) or foreign(logger),
            }
        )
    return len(_attached) > count


def _attach_one(provider: object, made: Running) -> None:
    """Attach to the SDK's provider that `provider` is or hides, whatever its kind, once; never raises."""
    try:
        found = _attach_unless_done(provider, made)
        others = foreign(provider)
        if others is not None:
            tell_foreign(others)
        if found is not None and found is not provider:
            on_provider_replaced(provider, lambda new: _attach_one(new, made))
    except Exception as error:
        _log.error(
            "otel-posthog could not attach to the %s (%s): what it exports is not stripped; please report it",
            type(provider).__name__,
            type(error).__name__,
        )
        made.guard.caught("attach", error)


def _attach_unless_done(provider: object, made: Running) -> object | None:
    tracer, logger = beneath(provider, TracerProvider), beneath(provider, LoggerProvider)
    meter = beneath(provider, MeterProvider)
    found = tracer or logger or meter
    if found is None or found in _attached:
        return None
    # First of all, so that what fails half-way is not tried again on top of the half that worked.
    _attached.add(found)
    if tracer is not None:
        attach_tracing(tracer, made.redactor, made.guard, pipeline=made.pipeline, lift=made.settings.lift)
    elif logger is not None:
        attach_logging(logger, made.redactor, made.guard, pipeline=made.pipeline)
    elif meter is not None:
        attach_metrics(meter, made.redactor, made.guard)
        instrument(meter, made.health)
    return found


def _watch(made: Running) -> None:
    """See the providers that the program makes global later; installed once in a process, for what ran last."""
    global _latest
    is_watching, _latest = _latest is not None, made
    if not is_watching:
        on_provider_set(_attach_latest)


def _attach_latest(provider: object) -> None:
    if _latest is not None:
        _attach_one(provider, _latest)
        tell_unwrapped()


def _tell_missing(found: dict[str, object | None]) -> None:
    missing = [what for what, provider in found.items() if provider is None]
    if missing:
        _log.warning(
            "no OpenTelemetry SDK provider for %s: product events from there are not seen until the program sets one "
            "(opentelemetry-distro does it; by hand: set_tracer_provider, set_logger_provider)",
            " and ".join(missing),
        )
