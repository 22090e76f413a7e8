"""Lets viewers look on where the environment says so; elsewhere nothing of it is even imported."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from otel_posthog import environment_variables as env
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy import collection_choice
from otel_posthog.policy.collection import TRUE_WORDS
from otel_posthog.setup.runtime import Runtime

if TYPE_CHECKING:
    from otel_posthog.inspection.feed import Feed

_log = logging.getLogger("otel_posthog")
_SHOWN = "an inspector of this user may look on (%s): %s"
_VALUES = "what it shows is not filtered"
_CLEAN = "it shows what leaves, and of the rest keys and rules"


def let_inspect(made: Runtime, environ: Mapping[str, str]) -> Feed | None:
    """Listen for viewers, if the environment says so and something is collected.

    Args:
        made: What set-up made.
        environ: Says so.
    """
    if made.pipeline is None or not environ.get(env.OTEL_POSTHOG_INSPECT, "").strip():
        return None
    from otel_posthog.inspection.door import asked_for  # noqa: PLC0415 - only for those who ask for it

    try:
        directory = asked_for(environ)
    except ConfigurationError as error:
        _log.warning("%s", error)
        return None
    return None if directory is None else _feed(made, environ, directory)


def _feed(made: Runtime, environ: Mapping[str, str], directory: Path) -> Feed | None:
    """Return what listens in `directory`."""
    from otel_posthog.inspection.explaining import Explaining  # noqa: PLC0415 - only for those who ask for it
    from otel_posthog.inspection.feed import Feed  # noqa: PLC0415
    from otel_posthog.inspection.form import Values  # noqa: PLC0415

    if made.pipeline is None:
        return None
    is_all = environ.get(env.OTEL_POSTHOG_INSPECT_VALUES, "").strip().lower() in TRUE_WORDS
    explaining = Explaining(made.pipeline, made.redactor, Values.ALL if is_all else Values.LEAVING)
    is_off = collection_choice(environ).is_off
    feed = Feed(
        made.pipeline,
        explaining,
        health=made.health,
        guard=made.guard,
        directory=directory,
        is_opted_out=is_off,
    )
    feed.start()
    _log.warning(_SHOWN, directory, _VALUES) if is_all else _log.info(_SHOWN, directory, _CLEAN)
    return feed
