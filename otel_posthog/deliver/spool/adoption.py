"""Finds what ended processes left of one destination, and takes it over a few directories at a time.

A directory is adopted by locking it: nothing is moved or copied, and who adopts and dies leaves it to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from otel_posthog.deliver.spool.backlog import Backlog, Lost
from otel_posthog.deliver.spool.dead_letters import size_of
from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.owner import Owned, adopt, directories, is_ours, remove_drafts
from otel_posthog.deliver.spool.sealed import NewerFormatError, Sealed
from otel_posthog.deliver.spool.segment import is_name
from otel_posthog.ours import ForeignError

# Directories held at once: each costs two descriptors, and a window of events while it is read.
MAX_ADOPTED = 8


class Adoption:
    """The directories of ended processes.

    Args:
        files: The file system.
        folder: Of the destination.
        lost: Told of events that are gone.
        oldest_ms: Returns the time before which events are too old; milliseconds since 1970.
        tell: Gets lines for the log.
    """

    def __init__(
        self, files: Files, folder: Path, lost: Lost, oldest_ms: Callable[[], int], tell: Callable[[str], None]
    ) -> None:
        self._files, self._folder, self._lost, self._oldest_ms, self._tell = files, folder, lost, oldest_ms, tell
        self._left_alone: set[Path] = set()

    def next(self, most: int) -> list[Backlog]:
        """Return up to `most` directories more, the oldest first."""
        found: list[Backlog] = []
        for path in directories(self._files, self._folder):
            if len(found) >= most:
                break
            backlog = None if path in self._left_alone else self._adopt(path)
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

    def remove(self, backlog: Backlog) -> None:
        """Remove a directory that is done with, as far as what is in it is ours.

        Raises:
            OSError: As of the file system.
        """
        try:
            backlog.remove()
        except ForeignError as error:
            self._leave_alone(backlog.owned.path, error)

    def expire_elsewhere(self, root: Path) -> None:
        """Drop what is too old of destinations that nobody may send to any more; leave the rest for whoever does."""
        for name in self._files.names(root):
            if root / name == self._folder:
                continue
            # What another user has beside this spool is nobody's concern here.
            other = Adoption(self._files, root / name, self._lost, self._oldest_ms, lambda _: None)
            with suppress(ForeignError, PermissionError):
                for backlog in other.next(MAX_ADOPTED):
                    backlog.look()
                    if backlog.is_done:
                        other.remove(backlog)
                    else:
                        backlog.release()

    def _segments_in(self, path: Path) -> list[str]:
        with suppress(ForeignError):
            return [name for name in self._files.names(path) if is_name(name)]
        return []

    def _adopt(self, path: Path) -> Backlog | None:
        owned: Owned | None = None
        try:
            owned = adopt(self._files, path)
            if owned is None:
                return None
            sealed = Sealed(self._files, owned)
            backlog = Backlog(self._files, owned, sealed, self._lost, self._oldest_ms)
        except NewerFormatError:
            self._left_alone.add(path)
            self._tell(f"{path} was written by a newer release of otel-posthog and is left to that")
        except ForeignError as error:
            self._leave_alone(path, error)
        except OSError as error:
            self._tell(f"{path} cannot be adopted ({error.strerror})")
        else:
            for each in sealed.foreign:
                self._tell(f"{each.filename} is left alone: {each.strerror}")
            return backlog
        if owned is not None:
            owned.release()
        return None

    def _leave_alone(self, path: Path, error: ForeignError) -> None:
        self._left_alone.add(path)
        self._tell(f"{error.filename} is left alone: {error.strerror}")
