"""Whether this process collects anything, and which switch or choice decided.

Off wins: any one switch that says so ends it, whatever the others say. The answer names the switch, for the start line.
A choice made at run time is kept for later starts and seen by other processes of the installation. Any thread asks for
it; a look at its file is due once a second at most. Where nothing can be written, the choice holds in the process that
made it. What cannot be read might be an opt-out, and is taken for one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from otel_posthog import environment_variables as env
from otel_posthog.policy.policy import Policy
from otel_posthog.state import remove_file, state_directory, write_text

FALSE_WORDS = frozenset({"0", "false", "no", "off", "disabled", "n", "f"})
TRUE_WORDS = frozenset({"1", "true", "yes", "on", "enabled", "y", "t"})
PREVIEW, CONSOLE = "preview", "console"

# A second is what a person who has just opted out takes for at once; a look at a file that is not there costs 10 us.
LOOK_INTERVAL_S = 1.0

_FILE, _OFF = "opted-out", "set_collection(False)"


class Collection(NamedTuple):
    """The decision.

    Attributes:
        enabled: Whether events are collected.
        reason: What decided, e.g. `ALGA_USAGE_STATS=false`; empty when enabled.
        is_preview: Whether they are filtered and counted, and none is sent.
        is_shown: Whether each of a preview is printed as it would be sent.
    """

    enabled: bool
    reason: str = ""
    is_preview: bool = False
    is_shown: bool = False


OPTED_OUT = Collection(False, _OFF)


def decide(policy: Policy, environ: Mapping[str, str]) -> Collection:
    """Return whether events are collected under `policy` in `environ`; a choice made at run time is not looked at.

    Args:
        policy: Its `collection.off_switches` are asked as well, and its destinations must have a key.
        environ: The process's environment.
    """
    for name in (env.OTEL_POSTHOG_ENABLED, env.USAGE_STATS, *policy.collection.off_switches):
        value = environ.get(name, "").strip()
        if name == env.OTEL_POSTHOG_ENABLED and value.lower() in {PREVIEW, CONSOLE}:
            continue
        # A word that is neither yes nor no (`ture`, `nope`) was meant to say something: fail closed.
        if value and value.lower() not in TRUE_WORDS:
            return Collection(False, f"{name}={_shown(value)}")
    for name in (env.DO_NOT_TRACK, env.SDK_DISABLED):
        value = environ.get(name, "").strip()
        if value and value.lower() not in FALSE_WORDS:
            return Collection(False, f"{name}={_shown(value)}")
    word = environ.get(env.OTEL_POSTHOG_ENABLED, "").strip().lower()
    if word in {PREVIEW, CONSOLE}:
        return Collection(True, is_preview=True, is_shown=word == CONSOLE)
    if not any(destination.api_key for destination in policy.destinations):
        return Collection(False, f"{env.POSTHOG_API_KEY} (not set)")
    return Collection(True)


class CollectionChoice:
    """The choice of one installation.

    Args:
        directory: The installation's state directory.
        clock: Monotonic seconds.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = directory / _FILE, clock
        self._here_only = False
        self._looked_at: float | None = None
        self._is_off = False

    def is_off(self) -> bool:
        """Return whether somebody opted out; in another process that was at most `LOOK_INTERVAL_S` ago."""
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= LOOK_INTERVAL_S:
            self._looked_at = now
            self._is_off = self._here_only or self._is_off_on_disk()
        return self._is_off

    def choose(self, enabled: bool) -> bool:
        """Make the choice; return False where it holds in this process alone, or an opt-out could not be undone."""
        if not enabled:
            kept = write_text(self._path, _OFF)
            # A choice that is kept may be changed by any process; one that could not be kept holds in this one.
            self._here_only = not kept
        else:
            self._here_only = False
            remove_file(self._path)
            kept = not self._is_off_on_disk()
        self._looked_at = None
        return kept

    def _is_off_on_disk(self) -> bool:
        """Return whether the file exists; what is in it does not matter."""
        try:
            self._path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True


_choices: dict[Path, CollectionChoice] = {}


def collection_choice(environ: Mapping[str, str]) -> CollectionChoice:
    """Return the choice of the installation that `environ` belongs to; one object for each."""
    directory = state_directory(environ)
    return _choices.setdefault(directory, CollectionChoice(directory))


def _shown(value: str) -> str:
    """Return a switch's value if it is a plain word; anything else might be a misplaced secret."""
    return value if value.lower() in FALSE_WORDS | TRUE_WORDS else "(not a yes or no)"
