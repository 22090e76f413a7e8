"""Where state and waiting events are kept: whether an app could write there, and whether what is there is its own."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.policy import Durability, IdentityMode, InstallationRotation, Policy
from otel_posthog.private_files import ForeignError, open_directory
from otel_posthog.state import file_names, spool_directory, spool_named_by, state_directory

# What is written to find out whether there is room: more than a file system gives away without a block.
_TRIED_BYTES = 256 * 1024
LOW_BYTES = 16 * 1024 * 1024

WRITABLE = Kind("directory", Group.SPOOL, Level.OK, "{path}")
TO_COME = Kind("directory_to_come", Group.SPOOL, Level.OK, "{path}, which the first start makes")
ABSENT = Kind(
    "spool_directory_absent", Group.SPOOL, Level.NOTE,
    "{path}, which {variable} names, does not exist: no app has kept events there",
    "correct {variable}, if one has; nothing, if none has started yet, which makes it", Gravity.SOME_MISSING,
    Symptom.LOST,
)  # fmt: skip
NOT_NEEDED = Kind(
    "state_not_needed", Group.SPOOL, Level.OK,
    "{path} cannot be written; the id is that of {variable}, and a choice at run time is not kept",
)  # fmt: skip
UNWRITABLE = Kind(
    "directory_not_writable", Group.SPOOL, Level.WRONG, "{path} cannot be written ({why})",
    "set {variable} to one that can", Gravity.MAY_BE_LOST, Symptom.LOST,
)  # fmt: skip
FULL = Kind(
    "disk_full", Group.SPOOL, Level.WRONG, "the disk of {path} is full: events wait in memory, and a kill loses them",
    "make room there, or set {variable} to another disk", Gravity.MAY_BE_LOST, Symptom.LOST,
)  # fmt: skip
LOW = Kind(
    "disk_nearly_full", Group.SPOOL, Level.NOTE, "the disk of {path} has {free} MiB left",
    "make room there, or set {variable} to another disk", Gravity.MAY_BE_LOST, Symptom.LOST,
)  # fmt: skip
FOREIGN = Kind(
    "directory_foreign", Group.SPOOL, Level.WRONG, "{path} is not used: {why}",
    "give it to the app's user, closed to others (chown, chmod 700), or set {variable} to another directory; "
    "if this is another user than the app's, run the doctor as that one", Gravity.MAY_BE_LOST, Symptom.LOST,
)  # fmt: skip
IN_MEMORY = Kind(
    "spool_in_memory", Group.SPOOL, Level.NOTE,
    "events wait in memory (`durability: memory`): a process that is killed loses them",
    "nothing, if it is meant so; else `delivery: {{durability: spool}}`", Gravity.MAY_BE_LOST, Symptom.LOST,
)  # fmt: skip
KINDS = (WRITABLE, TO_COME, ABSENT, NOT_NEEDED, UNWRITABLE, FULL, LOW, FOREIGN, IN_MEMORY)


def of_directories(policy: Policy, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of the state directory and the spool."""
    state = list(_of_one("state directory", state_directory(environ), env.OTEL_POSTHOG_STATE_DIR))
    if any(each.kind is UNWRITABLE for each in state) and not _needs_state(policy, environ):
        path = state_directory(environ)
        yield NOT_NEEDED.found("state directory", path=path, variable=env.INSTANCE_ID)
    else:
        yield from state
        yield from _foreign_state(state_directory(environ))
    about = "spool directory"
    if policy.delivery.durability is Durability.MEMORY:
        yield IN_MEMORY.found(about)
    else:
        absent = ABSENT if spool_named_by(environ) == env.OTEL_POSTHOG_SPOOL_DIR else TO_COME
        yield from _of_one(about, spool_directory(environ), env.OTEL_POSTHOG_SPOOL_DIR, absent)


def _needs_state(policy: Policy, environ: Mapping[str, str]) -> bool:
    """Return whether who an event is sent as depends on what is kept there."""
    modes = {policy.identity_of(each) for each in policy.destinations}
    is_fixed = policy.installation_rotation is InstallationRotation.NEVER and environ.get(env.INSTANCE_ID, "").strip()
    return not is_fixed or IdentityMode.DAILY in modes


def _of_one(about: str, path: Path, variable: str, absent: Kind = TO_COME) -> Iterator[Finding]:
    """Yield whether `path` can be written, and `absent` where it can be made, without making it."""
    words = {"path": path, "variable": variable}
    if str(path).startswith("~"):
        yield UNWRITABLE.found(about, **words, why="there is no home that ~ could stand for")
        return
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    try:
        if path.is_symlink():
            with open_directory(path):
                pass
        # Not by permission bits: to a superuser they say yes on file systems that then refuse.
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(os.urandom(_TRIED_BYTES))
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(there).free
    except ForeignError as error:
        yield FOREIGN.found(about, **words, why=error.strerror)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            yield FULL.found(about, **words)
        else:
            yield UNWRITABLE.found(about, **words, why=error.strerror or "unknown")
    else:
        if free < LOW_BYTES:
            yield LOW.found(about, **words, free=free // 1024**2)
        else:
            yield (WRITABLE if path.is_dir() else absent).found(about, **words)


def _foreign_state(path: Path) -> Iterator[Finding]:
    """Yield the first file of the state directory that is not this user's: what is kept there does not count."""
    try:
        with open_directory(path, for_owner=True) as there:
            for name in file_names(path):
                if not (path / name).is_dir():
                    there.trust.check(there.stat(name), path / name)
    except ForeignError as error:
        variable = env.OTEL_POSTHOG_STATE_DIR
        yield FOREIGN.found("state directory", path=error.filename, why=error.strerror, variable=variable)
    except OSError:
        return  # it is not there yet, or cannot be read, which is a finding already
