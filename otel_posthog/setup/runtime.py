"""What runs in a process that is set up, and the pipeline of one that collects: as whom its installation sends.

After an opt-out at run time there is still a pipeline, which sends nothing: it may be followed by an opt-in.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

from otel_posthog.deliver import Console, Preview, spool_root
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Installation, Pseudonyms, load_installation
from otel_posthog.operational import Redactor
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import OPTED_OUT, Collection, CollectionChoice, collection_choice
from otel_posthog.policy.collection import LOOK_INTERVAL_S
from otel_posthog.setup.log import log_first_run
from otel_posthog.setup.propagator import propagate_actor
from otel_posthog.setup.requests import follow_requests
from otel_posthog.setup.settings import Settings


class Runtime(NamedTuple):
    """What set-up made.

    Attributes:
        settings: What is in force.
        health: Counts what becomes of events.
        guard: Keeps errors of ours out of the host app.
        redactor: The operational side's filter.
        pipeline: None while nothing is collected.
        set_up_by: Which integration made it, in words.
    """

    settings: Settings
    health: Health
    guard: Guard
    redactor: Redactor
    pipeline: Pipeline | None
    set_up_by: str


def make_pipeline(settings: Settings, health: Health, guard: Guard, environ: Mapping[str, str]) -> Pipeline:
    """Return the pipeline, and show the notice where this is the first start that sends."""
    policy, installation, choice = settings.policy, load_installation(environ), collection_choice(environ)
    is_preview = settings.collection.is_preview
    preview = Console if settings.collection.is_shown else Preview
    pseudonyms = Pseudonyms.kept_in(installation.directory, settings.keys)
    pseudonyms.expire()
    if not (is_preview or choice.is_off()):
        log_first_run(policy, installation)
    propagate_actor(policy, pseudonyms, choice, guard)
    pipeline = Pipeline(
        policy,
        installation_id=installation.distinct_id,
        health=health,
        guard=guard,
        delivery=preview(policy, health, guard) if is_preview else None,
        pseudonyms=pseudonyms,
        is_opted_out=choice.is_off,
        spool=spool_root(environ),
    )
    follow_requests(policy, pipeline, choice.is_off, guard)
    renewal = _Renewal(pipeline, installation, choice, environ, guard)
    pipeline.on_tick(renewal.check)
    pipeline.on_return(renewal.renew)
    return pipeline


class _Renewal:
    """Has a running process send as another installation after an opt-out and an opt-in, in whatever process."""

    def __init__(
        self,
        pipeline: Pipeline,
        installation: Installation,
        choice: CollectionChoice,
        environ: Mapping[str, str],
        guard: Guard,
    ) -> None:
        self._pipeline, self._installation, self._choice = pipeline, installation, choice
        self._environ, self._guard = environ, guard
        self._checked_at = time.monotonic()

    def check(self) -> None:
        """Renew where that happened since the last check, and destroy the secrets that are over."""
        self._pipeline.pseudonyms.expire()
        if time.monotonic() - self._checked_at >= LOOK_INTERVAL_S:
            self._checked_at = time.monotonic()
            self.renew()

    def renew(self) -> None:
        """Take over the id that there is now, unless collection is opted out of."""
        if self._installation.is_over and not self._choice.is_off():
            pipeline, self._installation = self._pipeline, load_installation(self._environ)
            pipeline.renew(self._installation.distinct_id, pipeline.pseudonyms.anew(self._installation.directory))
            propagate_actor(pipeline.policy, pipeline.pseudonyms, self._choice, self._guard)


def collection_now(collection: Collection, environ: Mapping[str, str]) -> Collection:
    """Return what was decided at start, and where that is on, the choice made at run time."""
    return OPTED_OUT if collection.enabled and collection_choice(environ).is_off() else collection
