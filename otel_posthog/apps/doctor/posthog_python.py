"""What the doctor finds of posthog-python beside this package: an app that calls it has two ways into PostHog.

It is installed wherever this package is, so that alone says nothing: looked at is the code below the current directory,
for imports, a bounded number of files of it. Nothing is imported or run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.policy import Policy
from otel_posthog.switches import is_disabled

INSTRUMENTOR = "posthog_python"
MAX_FOLDERS, MAX_FILES, MAX_FILE_BYTES = 500, 2000, 1024 * 1024

BRIDGED = Kind(
    "posthog_python_bridged", Group.PROCESS, Level.OK,
    "{name} imports it, and what it captures goes through the bridge",
)  # fmt: skip
BESIDE = Kind(
    "posthog_python_beside", Group.PROCESS, Level.NOTE,
    "{name} imports it: what it captures goes to PostHog by itself, past filters, identity mode and switches",
    "set {variable}=true, which takes that through here; nothing, if it is meant so", Gravity.LEAKS,
    Symptom.PRIVACY,
)  # fmt: skip
KINDS = (BRIDGED, BESIDE)

_IMPORT = re.compile(rb"^(?:from|import)[ \t]+posthog\b", re.MULTILINE)
# Of other people, and what the app does not run.
_NOT_THE_APP = frozenset({"site-packages", "node_modules", "venv", "env", "build", "dist", "tests", "test"})


def of_posthog_python(policy: Policy, environ: Mapping[str, str], folder: Path) -> Iterator[Finding]:
    """Yield what is found where code below `folder` imports posthog-python.

    Args:
        policy: Says whether the bridge is asked for.
        environ: Says whether its instrumentor is disabled.
        folder: Where the app is.
    """
    name = next((name for name in _sources(folder) if _imports_it(folder / name)), None)
    if name is None:
        return
    is_bridged = policy.collection.bridge and not is_disabled(INSTRUMENTOR, environ)
    yield (BRIDGED if is_bridged else BESIDE).found("posthog-python", name=name, variable=env.OTEL_POSTHOG_BRIDGE)


def _sources(folder: Path) -> Iterator[Path]:
    """Yield sources below `folder`, relative to it, those nearest to it first."""
    found = (
        Path(at, name).relative_to(folder)
        for at, folders, names in islice(_walk(folder), MAX_FOLDERS)
        for name in sorted(names)
        if name.endswith(".py")
    )
    yield from islice(found, MAX_FILES)


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in _NOT_THE_APP and not each.startswith("."))
        yield at, folders, names


def _imports_it(path: Path) -> bool:
    try:
        # Who reads a pipe waits for whoever writes to it.
        is_source = path.is_file() and path.stat().st_size <= MAX_FILE_BYTES
        return is_source and _IMPORT.search(path.read_bytes()) is not None
    except OSError:
        return False
