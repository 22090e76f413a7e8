"""Finds what ended processes left for one project, and takes it over a few directories at a time.

A directory is adopted by locking it: nothing is moved or copied, and who adopts and dies leaves it to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from otel_posthog.deliver.spool.backlog import Backlog, Lost
from otel_posthog.deliver.spool.dead_letters import size_of
from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.owner import Owned, adopt, directories, is_ours, remove_drafts
from otel_posthog.deliver.spool.place import Address, address_of
from otel_posthog.deliver.spool.sealed import NewerFormatError, Sealed
from otel_posthog.deliver.spool.segment import is_name
from otel_posthog.private_files import ForeignError

# Directories held at once: each costs two descriptors, and a window of events while it is read.
MAX_ADOPTED = 8


def _unheard(*_: object) -> None:
    """Nobody is told."""


class Adoption:
    """The directories of ended processes.

    Args:
        files: The file system.
        root: Of the spool.
        address: The folder of this process; where it is bound to a project, what waits for that in others is adopted
            as well, whatever the destination was called and whosever it was.
        lost: Told of events that are gone.
        oldest_ms: Returns the time before which events are too old; milliseconds since 1970.
        tell: Gets lines for the log.
    """

    def __init__(  # noqa: PLR0913 - as a spool has them
        self,
        files: Files,
        root: Path,
        address: Address,
        lost: Lost = _unheard,
        *,
        oldest_ms: Callable[[], int] = lambda: 0,
        tell: Callable[[str], None] = _unheard,
    ) -> None:
        self._files, self._root, self._address = files, root, address
        self._lost, self._oldest_ms, self._tell = lost, oldest_ms, tell
        self._left_alone: set[Path] = set()

    def next(self, most: int) -> list[Backlog]:
        """Return up to `most` directories more, the oldest of each folder first."""
        found: list[Backlog] = []
        for path in self._directories():
            if len(found) >= most:
                break
            backlog = None if path in self._left_alone else self._adopt(path)
            if backlog is not None:
                found.append(backlog)
        return found

    def size_of_others(self) -> int:
        """Return the size in bytes of the directories that other processes have."""
        others = [path for path in self._directories() if not is_ours(path)]
        return sum(size_of(self._files, path / name) for path in others for name in self._segments_in(path))

    def remove_drafts(self, now_ms: int) -> None:
        """Remove directories that were never finished."""
        remove_drafts(self._files, self._root / self._address.folder, now_ms=now_ms)

    def others(self) -> list[Address]:
        """Return the other folders of the spool."""
        found = map(address_of, self._files.names(self._root))
        return [each for each in found if each is not None and each.folder != self._address.folder]

    def _directories(self) -> Iterator[Path]:
        project = self._address.project
        same = (each.folder for each in self.others() if each.project == project) if project else ()
        for folder in (self._address.folder, *same):
            # What another user has beside this spool is nobody's concern here.
            with suppress(ForeignError, PermissionError):
                yield from directories(self._files, self._root / folder)

    def remove(self, backlog: Backlog) -> None:
        """Remove a directory that is done with, as far as what is in it is ours.

        Raises:
            OSError: As of the file system.
        """
        try:
            backlog.remove()
        except ForeignError as error:
            self._leave_alone(backlog.owned.path, error)
            return
        folder = backlog.owned.path.parent
        if folder.name != self._address.folder:
            with suppress(OSError):  # somebody has something in it
                self._files.remove_directory(folder)

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
