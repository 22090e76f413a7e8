"""What waits in the spool, and why nobody sends it: left behind, of another project, not ours, refused for good."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.directories import FOREIGN
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.apps.spool.survey import IN_USE, Holding, dead_letters, survey
from otel_posthog.deliver.spool.files import OsFiles
from otel_posthog.deliver.spool.folder import parse_folder, project_of
from otel_posthog.deliver.spool.owner import directories
from otel_posthog.policy import Durability
from otel_posthog.private_files import ForeignError
from otel_posthog.setup.settings import Settings
from otel_posthog.state import spool_directory

ABOUT = "spool"
# What is sent at all is sent within seconds; after an outage within minutes.
LONG_S = 900.0

EMPTY = Kind("spool_empty", Group.SPOOL, Level.OK, "nothing waits")
WAITS = Kind("spool_waits", Group.SPOOL, Level.OK, "{count} events wait, the oldest for {age}")
STUCK = Kind(
    "spool_stuck", Group.SPOOL, Level.NOTE, "{count} events of running processes wait, the oldest for {age}",
    "`otel-posthog doctor --send` says what is in the way", Gravity.NOTHING_ARRIVES, Symptom.NOTHING,
)  # fmt: skip
LEFT = Kind(
    "spool_left", Group.SPOOL, Level.NOTE, "{count} events that ended processes left wait, the oldest for {age}",
    "start the app, which takes them over, or run `otel-posthog spool drain`", Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
OTHER_PROJECT = Kind(
    "spool_other_project", Group.SPOOL, Level.NOTE,
    "{count} events wait for another key or host, and are not sent with this one",
    "run `otel-posthog spool drain` once with the key and host of then; `otel-posthog spool list` shows them",
    Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
REFUSED = Kind(
    "spool_refused", Group.SPOOL, Level.NOTE, "{count} events were refused for good, mostly as {reason}",
    "`otel-posthog spool dead` shows them, `otel-posthog spool replay` has them sent once more", Gravity.SOME_MISSING,
    Symptom.SOME,
)  # fmt: skip
KINDS = (EMPTY, WAITS, STUCK, LEFT, OTHER_PROJECT, REFUSED)


def of_spool(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of what waits on disk.

    Args:
        settings: As an app would have them.
        environ: As those were read from.
    """
    root = spool_directory(environ)
    if settings.policy.delivery.durability is Durability.MEMORY or not root.is_dir():
        return
    yield from _foreign(root)
    try:
        held = [each for each in survey(root, tell=_nobody) if each.events]
        letters = (each for _, folder in dead_letters(root, tell=_nobody) for each in folder.all())
        refused = Counter(each.record.reason for each in letters)
    except OSError:
        return  # it cannot be read, which is a finding already
    yield from _waiting(settings, held)
    if refused:
        reason = refused.most_common(1)[0][0].replace("_", " ")
        yield REFUSED.found(ABOUT, count=f"{sum(refused.values()):,}", reason=reason)


def _nobody(_: str) -> None:
    """What is not ours is a finding already."""


def _waiting(settings: Settings, held: Sequence[Holding]) -> Iterator[Finding]:
    projects = {project_of(each) for each in settings.policy.destinations if each.api_key}
    ours = [each for each in held if each.project in projects]
    others = [each for each in held if each.project not in projects]
    if others and projects:
        yield OTHER_PROJECT.found(ABOUT, **_words(others))
    if not ours:
        if not others:
            yield EMPTY.found(ABOUT)
        return
    for kind, members in (
        (STUCK, [each for each in ours if each.state == IN_USE]),
        (LEFT, [each for each in ours if each.state != IN_USE]),
    ):
        if members:
            yield (kind if _age_s(members) > LONG_S else WAITS).found(ABOUT, **_words(members))


def _foreign(root: Path) -> Iterator[Finding]:
    """Yield the first folder that the app leaves alone, since it is not its user's."""
    files = OsFiles(root)
    try:
        for name in files.names(root):
            if parse_folder(name) is not None and not (root / name).is_file():
                for path in (root / name, *directories(files, root / name)):
                    files.names(path)
    except ForeignError as error:
        variable = env.OTEL_POSTHOG_SPOOL_DIR
        yield FOREIGN.found("spool directory", path=error.filename, why=error.strerror, variable=variable)
    except OSError:
        return  # it cannot be read, which is a finding already


def _words(held: Sequence[Holding]) -> dict[str, str]:
    return {"count": f"{sum(each.events for each in held):,}", "age": _shown(_age_s(held))}


def _age_s(held: Sequence[Holding]) -> float:
    oldest = min((each.oldest_ms for each in held if each.oldest_ms is not None), default=None)
    return max(0.0, time.time() - oldest / 1000) if oldest is not None else 0.0


def _shown(seconds: float) -> str:
    for size, word in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {word}"
    return f"{seconds:.0f} seconds"
