"""The choice that somebody made at run time: kept for later starts, seen by other processes of the installation.

Any thread asks; a look at the file is due once a second at most. Where nothing can be written, the choice holds in the
process that made it. What cannot be read might be an opt-out, and is taken for one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from otel_posthog.state import remove_file, state_directory, write_text

FILE = "opted-out"
OFF = "set_collection(False)"

# A second is what a person who has just opted out takes for at once; a look at a file that is not there costs 10 us.
LOOK_INTERVAL_S = 1.0


class CollectionChoice:
    """The choice of one installation.

    Args:
        directory: The installation's state directory.
        clock: Monotonic seconds.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = directory / FILE, clock
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
            kept = write_text(self._path, OFF)
            # What is kept is for everybody to change; what is not would be forgotten.
            self._here_only = not kept
        else:
            self._here_only = False
            remove_file(self._path)
            kept = not self._is_off_on_disk()
        self._looked_at = None
        return kept

    def _is_off_on_disk(self) -> bool:
        """Return whether the file is there; it is its being there that counts, whatever is in it."""
        try:
            self._path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True


_choices: dict[Path, CollectionChoice] = {}


def collection_choice(environ: Mapping[str, str]) -> CollectionChoice:
    """Return the one object for the choice of the installation that `environ` is of."""
    directory = state_directory(environ)
    return _choices.setdefault(directory, CollectionChoice(directory))
