"""The zero-code door: `opentelemetry-instrument` calls `auto_configure` by its entry point.

It runs after the providers are made and before any instrumentor makes a tracer. It never raises, since an exception
here would stop every later hook and instrumentor of the app. What cannot work is said in one line; the operational side
is then stripped by the built-in policy, and nothing is sent.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from otel_posthog import environment_variables as env
from otel_posthog.errors import OtelPostHogError

if TYPE_CHECKING:
    from otel_posthog.setup.settings import Settings

_log = logging.getLogger("otel_posthog")


def auto_configure() -> None:
    """Set the package up from the environment; never raises, and does nothing where it is set up already."""
    try:
        _start_or_strip()
    except Exception as error:  # whatever it is, the host app starts as it would without us
        _log.error("otel-posthog could not be set up (%s): no product events are sent", type(error).__name__)


def _start_or_strip() -> None:
    if _is_disabled(os.environ.get(env.DISABLED_INSTRUMENTATIONS, "")):
        _log.info("otel-posthog is disabled by %s: nothing is set up", env.DISABLED_INSTRUMENTATIONS)
        return
    from otel_posthog.setup.configure import Providers, running, start  # noqa: PLC0415 - inside the guard
    from otel_posthog.setup.settings import read  # noqa: PLC0415

    if running() is not None:
        return
    try:
        settings = read(os.environ)
    except OtelPostHogError as error:
        _log.error("%s. No product events are sent", error)
        settings = _stripping_only()
    start(settings, Providers())


def _is_disabled(disabled: str) -> bool:
    """Return whether `posthog` itself is listed; `*` means the instrumentations, which the app's own events are not."""
    return "posthog" in {name.strip() for name in disabled.split(",")}


def _stripping_only() -> Settings:
    """Return settings that strip by the built-in policy and send nothing."""
    from otel_posthog.policy import Collection, Policy  # noqa: PLC0415
    from otel_posthog.setup.settings import Settings  # noqa: PLC0415

    return Settings(Policy(), Collection(enabled=False, reason="a configuration error"), lift=None)
