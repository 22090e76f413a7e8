"""The one set-up, idempotent, behind both doors: `configure()` and the zero-code hook."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry import metrics, trace
from opentelemetry._logs import LoggerProvider, get_logger_provider

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import DailySalts, Installation, Pseudonyms, load, mismatch_line, notice_box, start_line
from otel_posthog.operational import Redactor
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Collection, Policy, activate
from otel_posthog.privacy import Filter
from otel_posthog.setup.attach import attach_logging, attach_metrics, attach_tracing
from otel_posthog.setup.instruments import instrument
from otel_posthog.setup.settings import Settings, read

_log = logging.getLogger("otel_posthog")
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Running:
    """What set-up made."""

    settings: Settings
    health: Health
    guard: Guard
    redactor: Redactor
    pipeline: Pipeline | None


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers to attach to; None stands for the global one."""

    tracer: object | None = None
    logger: object | None = None
    meter: object | None = None


_running: Running | None = None
_is_attached = False


def configure(  # noqa: PLR0913 - each is a setting of its own, all by name
    *,
    policy: Policy | str | os.PathLike[str] | None = None,
    api_key: str | None = None,
    host: str | None = None,
    tracer_provider: trace.TracerProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
) -> None:
    """Set the package up for a program that has set up the OpenTelemetry SDK itself.

    Call it once, after the providers are made; exporters may be added before or after. A second call does nothing and
    says so.

    Args:
        policy: A `Policy`, or the path of a policy file; default `OTEL_POSTHOG_POLICY`, else the built-in policy.
        api_key: The PostHog project's key; default `POSTHOG_API_KEY`, else the policy's.
        host: The PostHog host; default `POSTHOG_HOST`, else the policy's.
        tracer_provider: Default: the global one.
        logger_provider: Default: the global one.
        meter_provider: Default: the global one.

    Raises:
        ConfigurationError: A setting cannot work; one line says what, where, and what to write instead.
    """
    settings = read(os.environ, policy=policy, api_key=api_key, host=host)
    start(settings, Providers(tracer_provider, logger_provider, meter_provider))


def start(settings: Settings, providers: Providers) -> bool:
    """Put `settings` in force and attach to `providers`; return False where that has been done before."""
    global _is_attached
    with _lock:
        if _is_attached:
            _log.info("otel-posthog is set up already: this set-up changes nothing")
            return False
        made = _running or _start(settings, os.environ)
        _attach(providers, made)
        _is_attached = True
    return True


def ensure() -> Running:
    """Return what runs in this process, started from the environment if nothing does yet; attaches to no provider.

    Raises:
        ConfigurationError: As `configure`.
    """
    with _lock:
        return _running or _start(read(os.environ), os.environ)


def _start(settings: Settings, environ: Mapping[str, str]) -> Running:
    global _running
    policy, health = settings.policy, Health()
    guard = Guard(health)
    redactor = Redactor(policy.operational, Filter(policy.privacy), guard)
    pipeline = None
    if settings.collection.enabled:
        installation = load(environ)
        salts = DailySalts(installation.directory)
        salts.clean()
        pipeline = Pipeline(
            policy,
            installation_id=installation.distinct_id,
            health=health,
            guard=guard,
            pseudonyms=Pseudonyms(keys=settings.keys, salts=salts),
        )
        _tell_first_run(policy, installation)
    activate(policy)
    _tell(policy, settings.collection, environ)
    _running = Running(settings, health, guard, redactor, pipeline)
    return _running


def _attach(providers: Providers, made: Running) -> None:
    tracer = providers.tracer or trace.get_tracer_provider()
    logger = providers.logger or get_logger_provider()
    meter = providers.meter or metrics.get_meter_provider()
    redactor, guard, pipeline = made.redactor, made.guard, made.pipeline
    attached = {
        "spans": attach_tracing(tracer, redactor, guard, pipeline=pipeline, lift=made.settings.lift),
        "log-based events and capture()": attach_logging(logger, redactor, guard, pipeline=pipeline),
    }
    if attach_metrics(meter, redactor, guard) and isinstance(meter, metrics.MeterProvider):
        instrument(meter, made.health)
    missing = [what for what, found in attached.items() if not found]
    if missing and pipeline is not None:
        _log.warning(
            "no OpenTelemetry SDK provider for %s: product events from there are not seen; set the SDK up first",
            " and ".join(missing),
        )


def _tell(policy: Policy, collection: Collection, environ: Mapping[str, str]) -> None:
    _log.info("%s", start_line(policy, collection))
    mismatch = mismatch_line(environ)
    if mismatch:
        _log.warning("%s", mismatch)


def _tell_first_run(policy: Policy, installation: Installation) -> None:
    if not installation.is_kept:
        _log.warning(
            "no writable state directory: this process counts as an installation of its own; set INSTANCE_ID or "
            "OTEL_POSTHOG_STATE_DIR"
        )
    elif installation.claim_notice():
        sys.stderr.write(notice_box(policy) + "\n")


def running() -> Running | None:
    """Return what set-up made, if it has run."""
    return _running


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until every product event so far is delivered; False where `timeout_s` did not suffice."""
    pipeline = _running.pipeline if _running else None
    return pipeline.flush(timeout_s) if pipeline else True


def shutdown(timeout_s: float = 5.0) -> bool:
    """Deliver what is waiting and stop sending; stripping and redaction go on. False where time did not suffice.

    Args:
        timeout_s: The longest this may take.
    """
    pipeline = _running.pipeline if _running else None
    return pipeline.shutdown(timeout_s) if pipeline else True
