"""Finds what ended processes left of one destination, and takes it over a few directories at a time.

A directory is adopted by locking it: nothing is moved or copied, and who adopts and dies leaves it to the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from otel_posthog.deliver.spool.backlog import Backlog, Lost
from otel_posthog.deliver.spool.dead_letters import size_of
from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.owner import Owned, adopt, directories, is_ours, remove_drafts
from otel_posthog.deliver.spool.sealed import NewerFormatError, Sealed

_log = logging.getLogger("otel_posthog")

# Directories held at once: each costs two descriptors, and a window of events while it is read.
MAX_ADOPTED = 8


class Adoption:
    """The directories of ended processes.

    Args:
        files: The file system.
        folder: Of the destination.
        lost: Told of events that are gone.
        oldest_ms: Returns the time before which events are too old; milliseconds since 1970.
    """

    def __init__(self, files: Files, folder: Path, lost: Lost, oldest_ms: Callable[[], int]) -> None:
        self._files, self._folder, self._lost, self._oldest_ms = files, folder, lost, oldest_ms
        self._newer: set[Path] = set()

    def next(self, most: int) -> list[Backlog]:
        """Return up to `most` directories more, the oldest first."""
        found: list[Backlog] = []
        for path in directories(self._files, self._folder):
            if len(found) >= most:
                break
            backlog = None if path in self._newer else self._adopt(path)
            if backlog is not None:
                found.append(backlog)
        return found

    def size_of_others(self) -> int:
        """Return the size in bytes of the directories that other processes have."""
        others = [path for path in directories(self._files, self._folder) if not is_ours(path)]
        return sum(size_of(self._files, path / name) for path in others for name in self._segments_in(path))

    def remove_drafts(self, now_ms: int) -> None:
        """Remove directories that were never finished."""
        remove_drafts(self._files, self._folder, now_ms=now_ms)

    def expire_elsewhere(self, root: Path) -> None:
        """Drop what is too old of destinations that nobody may send to any more; leave the rest for whoever does."""
        for name in self._files.names(root):
            if root / name == self._folder:
                continue
            other = Adoption(self._files, root / name, self._lost, self._oldest_ms)
            for backlog in other.next(MAX_ADOPTED):
                backlog.look()
                if backlog.is_done:
                    backlog.remove()
                else:
                    backlog.release()

    def _segments_in(self, path: Path) -> list[str]:
        return [name for name in self._files.names(path) if name.endswith(".seg")]

    def _adopt(self, path: Path) -> Backlog | None:
        owned = adopt(self._files, path)
        if owned is None:
            return None
        try:
            return self._backlog(owned)
        except NewerFormatError:
            self._newer.add(path)
            _log.warning("%s was written by a newer release of otel-posthog and is left to that", path)
        except OSError as error:
            _log.warning("%s cannot be adopted (%s)", path, error.strerror)
        owned.release()
        return None

    def _backlog(self, owned: Owned) -> Backlog:
        return Backlog(self._files, owned, Sealed(self._files, owned), self._lost, self._oldest_ms)
