"""The pipeline of a process that collects: as whom its installation sends, and what it waits for.

Where somebody opted out at run time there is a pipeline all the same, which sends nothing: they may change their mind.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.deliver import Console, Preview, spool_root
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms, load
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import OPTED_OUT, Collection, collection_choice
from otel_posthog.setup.handing_on import hand_on
from otel_posthog.setup.settings import Settings
from otel_posthog.setup.tell import tell_first_run


def collecting(settings: Settings, health: Health, guard: Guard, environ: Mapping[str, str]) -> Pipeline:
    """Return the pipeline, and show the notice where this is the first start that sends."""
    policy, installation, choice = settings.policy, load(environ), collection_choice(environ)
    is_preview = settings.collection.is_preview
    preview = Console if settings.collection.is_shown else Preview
    pseudonyms = Pseudonyms.kept_in(installation.directory, settings.keys)
    pseudonyms.expire()
    if not (is_preview or choice.is_off()):
        tell_first_run(policy, installation)
    hand_on(policy, pseudonyms, choice, guard)
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
    pipeline.on_tick(pseudonyms.expire)
    return pipeline


def chosen(collection: Collection, environ: Mapping[str, str]) -> Collection:
    """Return what was decided at start, and where that is on, the choice that somebody made at run time."""
    return OPTED_OUT if collection.enabled and collection_choice(environ).is_off() else collection
