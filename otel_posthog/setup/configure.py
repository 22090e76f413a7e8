"""The one set-up, idempotent, behind every integration: hook, instrumentor, `configure()`, components, exporters.

Comes in: settings, and providers to attach to. Goes out: nothing. Runs at start, under a lock. The integration that
comes first decides; a later one attaches to providers that are not attached yet, changes nothing else, and says so.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, MutableMapping
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry._logs import LoggerProvider

from otel_posthog.actor.context import say_off
from otel_posthog.errors import Guard, OtelPostHogError
from otel_posthog.health import Health
from otel_posthog.logger import show_warnings
from otel_posthog.operational import Redactor
from otel_posthog.policy import Policy, activate
from otel_posthog.setup.frameworks import log_uninstrumented
from otel_posthog.setup.inspecting import let_inspect
from otel_posthog.setup.log import log_remarks, log_start
from otel_posthog.setup.providers import Providers, attach
from otel_posthog.setup.reload import reload_keys, reload_policy, watch_keys, watch_policy
from otel_posthog.setup.runtime import Runtime, collection_now, make_pipeline
from otel_posthog.setup.scrubber import late_scrubber
from otel_posthog.setup.settings import Settings, read_options, read_settings, stripping_only

_log = logging.getLogger("otel_posthog")
_lock = threading.Lock()


COULD_NOT_START = (
    "otel-posthog could not start (%s): no product events are sent, the operational side is stripped; "
    "run `otel-posthog doctor`"
)

_running: Runtime | None = None
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
    settings = read_settings(os.environ, policy=policy, api_key=api_key, host=host)
    start(settings, Providers(tracer_provider, logger_provider, meter_provider), by="configure()")


def start(settings: Settings, providers: Providers, *, by: str) -> None:
    """Put `settings` in force and attach to `providers`; where something runs already, only the second.

    An error of ours, as against a mistake in configuration, is logged and ends in stripping by the built-in policy.

    Args:
        settings: What to put in force.
        providers: What to attach to.
        by: The integration that asks, in words.
    """
    global _is_attached
    show_warnings()
    with _lock:
        before = _running
        made = before or _start_or_strip(settings, by)
        is_new = attach(providers, made, is_first=not _is_attached)
        if before is not None:
            does = "attaches to further providers and changes no setting" if is_new else "changes nothing"
            _log.warning(
                "otel-posthog is set up already, by %s: %s %s; nothing is sent twice", made.set_up_by, by, does
            )
        _is_attached = True


def ensure(by: str = "a component") -> Runtime:
    """Return what runs in this process, started from the environment if nothing does yet; attaches to no provider.

    Raises:
        ConfigurationError: As `configure`.
    """
    show_warnings()
    with _lock:
        return _running or _start(read_settings(os.environ), os.environ, by)


def start_with(settings: Settings, by: str) -> Runtime:
    """Return what runs in this process, started with `settings` if nothing does yet; attaches to no provider.

    Args:
        settings: What is to be in force.
        by: The integration that asks, in words.
    """
    show_warnings()
    with _lock:
        return _running or _start(settings, os.environ, by)


def ensure_or_strip(by: str, options: Mapping[str, Any]) -> Runtime:
    """Return the same, but with a mistake logged in one line, and nothing sent then.

    Args:
        by: The integration that asks, in words.
        options: `policy`, `api_key`, `host`, `sampler`.
    """
    show_warnings()
    with _lock:
        if _running is not None:
            return _running
        try:
            settings = read_options(os.environ, options, by)
        except OtelPostHogError as error:
            _log.error("%s. No product events are sent", error)
            settings = stripping_only(os.environ)
        return _start_or_strip(settings, by)


def _start_or_strip(settings: Settings, by: str) -> Runtime:
    try:
        return _start(settings, os.environ, by)
    except Exception as error:
        _log.error(COULD_NOT_START, type(error).__name__)
        return _start(stripping_only(os.environ), os.environ, by, is_logged=True)


def _start(settings: Settings, environ: MutableMapping[str, str], by: str, *, is_logged: bool = False) -> Runtime:
    global _running
    policy, health = settings.policy, Health()
    guard = Guard(health)
    redactor = Redactor(policy.operational, late_scrubber(policy.operational_privacy, health), guard)
    say_off(is_off=not settings.collection.enabled)
    pipeline = make_pipeline(settings, health, guard, environ) if settings.collection.enabled else None
    activate(policy)
    if not is_logged:
        collection = collection_now(settings.collection, environ)
        log_start(policy, collection, environ)
        log_remarks(settings)
        if collection.enabled:
            log_uninstrumented(environ, guard)
    _running = Runtime(settings, health, guard, redactor, pipeline, by)
    let_inspect(_running, environ)
    watch_policy(_running, _reread)
    watch_keys(_running, _reread_keys)
    return _running


def replace_policy(policy: Policy | str | os.PathLike[str] | None = None) -> bool:
    """Put another policy in force in this process; no event is lost, and what waits is sent as it was cleaned.

    Keys, hosts and the section `delivery` of what is running already, and switching collection on in a process that
    started without, take effect at the next start only; a line says so. Everything else does at once.

    Args:
        policy: A `Policy`, or the path of a policy file; by default the file that was read at start, read again.

    Returns:
        False where it was refused, for the reason that one line of the log says; the policy before it stays in force.
    """
    global _running
    with _lock:
        if _running is None:
            _log.error("no policy is in force yet that could be replaced: give it to configure(policy=...)")
            return False
        settings = reload_policy(_running, policy)
        if settings is None:
            return False
        _running = _running._replace(settings=settings)
        return True


def _reread() -> Policy:
    """Read the policy's files again, on the worker; return what is then in force."""
    replace_policy()
    return _running.settings.policy if _running else Policy()


def _reread_keys() -> None:
    """Read the identity keys again, on the worker."""
    global _running
    with _lock:
        settings = reload_keys(_running) if _running else None
        if _running is not None and settings is not None:
            _running = _running._replace(settings=settings)


def is_attached() -> bool:
    """Return whether an integration has attached to providers; components by themselves do not."""
    return _is_attached


def running() -> Runtime | None:
    """Return what set-up made, if it has run."""
    return _running
