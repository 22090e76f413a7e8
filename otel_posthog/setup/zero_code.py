"""Zero-code set-up: `opentelemetry-instrument` calls the hook by its entry point, and loads the instrumentor.

The hook runs after the providers are made and before any instrumentor makes a tracer. The instrumentor comes later, or,
where a configuration file names it with options, before the hook. Neither raises, since an exception would stop every
later hook and instrumentor of the app. What cannot work is logged in one line; the operational side is then stripped by
the built-in policy, and nothing is sent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from otel_posthog import environment_variables as env
from otel_posthog.errors import OtelPostHogError
from otel_posthog.switches import is_disabled, is_disabled_in_file

if TYPE_CHECKING:
    from otel_posthog.setup.providers import Providers
    from otel_posthog.setup.settings import Settings

_log = logging.getLogger("otel_posthog")

_PROVIDERS = {"tracer_provider": "tracer", "logger_provider": "logger", "meter_provider": "meter"}


def auto_configure(**options: Any) -> None:
    """Set the package up from the environment; never raises, and does nothing where it is set up already.

    Args:
        options: `policy`, `api_key`, `host`, `sampler` (as `OTEL_POSTHOG_SAMPLER`), each winning over the environment;
            `tracer_provider`, `logger_provider`, `meter_provider`, default the global ones. None stands for not given.
    """
    try:
        _set_up({name: value for name, value in options.items() if value is not None})
    except Exception as error:  # whatever it is, the host app starts as it would without us
        _log_failure(type(error).__name__)


@cache
def _log_failure(error_type: str) -> None:
    """Log that nothing is set up; once, though `opentelemetry-instrument` runs both."""
    _log.error(
        "otel-posthog could not be set up (%s): no product events are sent, and nothing is stripped; please report "
        "it, and take the package out of this program until then",
        error_type,
    )


def pre_instrument() -> None:
    """Set the package up unless it is disabled: what `opentelemetry-instrument` calls by the entry point; never raises.

    `opentelemetry-instrument` leaves out the instrumentors that `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` lists, but not
    the hook of the same name.
    """
    # `*` means the instrumentations, which the app's own events are not.
    if is_disabled("posthog", os.environ):
        _log.info("otel-posthog is disabled by %s: nothing is set up", env.DISABLED_INSTRUMENTATIONS)
    else:
        auto_configure()


def _set_up(options: Mapping[str, Any]) -> None:
    from otel_posthog.setup import configure  # noqa: PLC0415 - inside the guard

    if not options and configure.is_attached():
        # `opentelemetry-instrument` always runs the hook and the instrumentor.
        _log.debug("otel-posthog is set up already")
    elif not options and is_disabled_in_file("posthog", os.environ.get(env.CONFIG_FILE, "")):
        _log.info("otel-posthog is disabled by %s: nothing is set up", env.CONFIG_FILE)
    else:
        settings, providers = _read(options)
        configure.start(settings, providers, by="options of the instrumentor" if options else "zero-code set-up")


def _read(options: Mapping[str, Any]) -> tuple[Settings, Providers]:
    """Return what `options` and the environment say, or what strips and sends nothing, with the mistake logged."""
    from otel_posthog.logger import show_warnings  # noqa: PLC0415
    from otel_posthog.setup import configure  # noqa: PLC0415
    from otel_posthog.setup.providers import Providers  # noqa: PLC0415
    from otel_posthog.setup.settings import read_options, stripping_only  # noqa: PLC0415

    show_warnings()
    providers = Providers(**{ours: options[name] for name, ours in _PROVIDERS.items() if name in options})
    others = {name: value for name, value in options.items() if name not in _PROVIDERS}
    try:
        return read_options(os.environ, others, "the instrumentor posthog"), providers
    except OtelPostHogError as error:
        _log.error("%s. No product events are sent", error)
    except Exception as error:
        _log.error(configure.COULD_NOT_START, type(error).__name__)
    return stripping_only(os.environ), providers
