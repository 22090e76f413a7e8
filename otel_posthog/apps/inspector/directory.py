"""Where the sockets of running apps are, for a viewer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.inspection.door import directory_of
from otel_posthog.policy.collection import FALSE_WORDS


def live_directory(given: str | None, environ: Mapping[str, str]) -> Path:
    """Return where the sockets of running apps are.

    Args:
        given: On the command line.
        environ: The environment, which may say it as it says it to the apps.

    Raises:
        ConfigurationError: It is no path.
    """
    word = environ.get(env.OTEL_POSTHOG_INSPECT, "").strip()
    return Path(given) if given else directory_of("1" if not word or word.lower() in FALSE_WORDS else word, environ)
