"""Where state and waiting events are kept: whether an app could write there, and whose it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.policy import Durability, Policy
from otel_posthog.state import spool_directory, state_directory

WRITABLE = Kind("directory", Group.SPOOL, Level.OK, "{path}")
UNWRITABLE = Kind(
    "directory_not_writable", Group.SPOOL, Level.WRONG, "{path} cannot be written", "set {variable} to one that can",
    Gravity.MAY_BE_LOST, Symptom.LOST,
)  # fmt: skip
IN_MEMORY = Kind(
    "spool_in_memory", Group.SPOOL, Level.NOTE,
    "events wait in memory (`durability: memory`): a process that is killed loses them",
    "nothing, if it is meant so; else `delivery: {{durability: spool}}`", Gravity.MAY_BE_LOST, Symptom.LOST,
)  # fmt: skip
KINDS = (WRITABLE, UNWRITABLE, IN_MEMORY)


def of_directories(policy: Policy, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of the state directory and the spool."""
    yield _of_one("state directory", state_directory(environ), env.OTEL_POSTHOG_STATE_DIR)
    about = "spool directory"
    if policy.delivery.durability is Durability.MEMORY:
        yield IN_MEMORY.found(about)
    else:
        yield _of_one(about, spool_directory(environ), env.OTEL_POSTHOG_SPOOL_DIR)


def _of_one(about: str, path: Path, variable: str) -> Finding:
    """Return whether `path` can be made and written, without making it."""
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    try:
        # Not by permission bits: to a superuser they say yes on file systems that then refuse.
        with tempfile.TemporaryFile(dir=there):
            return WRITABLE.found(about, path=path)
    except OSError:
        return UNWRITABLE.found(about, path=path, variable=variable)
