"""What ended processes left: adopted for one project a few directories at a time, or dropped, expired and counted.

A directory is adopted by locking it: nothing is moved or copied, and a process that adopts it and
dies leaves it to the next. The
functions below work on folders from which nothing is sent here: what is too old goes, and what somebody opted out of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from otel_posthog.deliver.spool.backlog import Backlog, Lost
from otel_posthog.deliver.spool.dead_letters import FOLDER, DeadLetters
from otel_posthog.deliver.spool.files import Clock, Files, size_of
from otel_posthog.deliver.spool.folder import Folder, parse_folder
from otel_posthog.deliver.spool.owner import Owned, adopt, directories, is_held, remove_drafts
from otel_posthog.deliver.spool.segment import ClosedSegments, NewerFormatError, is_name
from otel_posthog.private_files import ForeignError

# Directories held at once: each costs two descriptors, and a window of events while it is read.
MAX_ADOPTED = 8

Mine = Callable[[Folder], bool]


def _ignore(*_: object) -> None:
    """Ignore it."""


class Adoption:
    """The directories of ended processes.

    Args:
        files: The file system.
        root: Of the spool.
        folder: That of this process; where it is bound to a project, what waits for that in others is adopted
            as well, whatever the destination was called and whosever it was.
        lost: Called for events that are gone.
        oldest_ms: Returns the time before which events are too old; milliseconds since 1970.
        log: Gets lines for the log.
    """

    def __init__(  # noqa: PLR0913 - as a spool has them
        self,
        files: Files,
        root: Path,
        folder: Folder,
        lost: Lost = _ignore,
        *,
        oldest_ms: Callable[[], int] = lambda: 0,
        log: Callable[[str], None] = _ignore,
    ) -> None:
        self._files, self._root, self._folder = files, root, folder
        self._lost, self._oldest_ms, self._log = lost, oldest_ms, log
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
        others = [path for path in self._directories() if not is_held(path)]
        return sum(size_of(self._files, path / name) for path in others for name in self._segments_in(path))

    def remove_drafts(self, now_ms: int) -> None:
        """Remove directories that were never finished."""
        remove_drafts(self._files, self._root / self._folder.name, now_ms=now_ms)

    def others(self) -> list[Folder]:
        """Return the other folders of the spool."""
        found = map(parse_folder, self._files.names(self._root))
        return [each for each in found if each is not None and each.name != self._folder.name]

    def _directories(self) -> Iterator[Path]:
        project = self._folder.project
        same = (each.name for each in self.others() if each.project == project) if project else ()
        for name in (self._folder.name, *same):
            # What another user has beside this spool does not matter here.
            with suppress(ForeignError, PermissionError):
                yield from directories(self._files, self._root / name)

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
        if folder.name != self._folder.name:
            with suppress(OSError):  # something is in it
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
            closed = ClosedSegments(self._files, path)
            backlog = Backlog(self._files, owned, closed, self._lost, self._oldest_ms)
        except NewerFormatError:
            self._left_alone.add(path)
            self._log(f"{path} was written by a newer release of otel-posthog and is left to that")
        except ForeignError as error:
            self._leave_alone(path, error)
        except OSError as error:
            self._log(f"{path} cannot be adopted ({error.strerror})")
        else:
            for each in closed.foreign:
                self._log(f"{each.filename} is left alone: {each.strerror}")
            return backlog
        if owned is not None:
            owned.release()
        return None

    def _leave_alone(self, path: Path, error: ForeignError) -> None:
        self._left_alone.add(path)
        self._log(f"{error.filename} is left alone: {error.strerror}")


def drop(files: Files, root: Path, is_mine: Mine) -> int:
    """Remove what ended processes left in folders that are mine, dead letters too; return how many events waited.

    What a running process has is that one's to drop.
    """
    found = [each for each in map(parse_folder, files.names(root)) if each is not None and is_mine(each)]
    return sum(_drop(files, root, each) for each in found)


def expire(  # noqa: PLR0913 - as a spool has them
    files: Files, root: Path, folders: Iterable[Folder], lost: Lost, oldest_ms: Callable[[], int], *, project: str
) -> None:
    """Drop what is too old in `folders`; leave the rest for who sends it.

    Args:
        files: The file system.
        root: Of the spool.
        folders: Which.
        lost: Called for events that are gone.
        oldest_ms: Returns the time before which events are too old; milliseconds since 1970.
        project: What waits for this one is left to who adopts it here.
    """
    for each in folders:
        # Another user's does not matter here, and errors of the disk are counted for this process's own folder.
        with suppress(OSError):
            if not project or each.project != project:
                _expire_events(Adoption(files, root, Folder(each.name, each.destination), lost, oldest_ms=oldest_ms))
            DeadLetters(files, root / each.name, Clock()).expire(oldest_ms())
            _remove_empty(files, root, each)


def _expire_events(adoption: Adoption) -> None:
    adoption.remove_drafts(Clock()())
    for backlog in adoption.next(MAX_ADOPTED):
        backlog.read_ahead()
        if backlog.is_done:
            adoption.remove(backlog)
        else:
            backlog.release()


def bind(files: Files, old: Path, new: Path) -> None:
    """Move what ended processes left in a folder of an earlier release, dead letters too, to one bound to a project.

    Raises:
        OSError: As of the file system.
    """
    for path in directories(files, old):
        owned = adopt(files, path)
        if owned is not None:
            files.make_directory(new)
            try:
                files.rename(path, new / path.name)
            finally:
                owned.release()
    letters = DeadLetters(files, old, Clock()).paths()
    if letters:
        files.make_directory(new / FOLDER)
    for path in letters:
        files.rename(path, new / FOLDER / path.name)


def count_waiting(files: Files, root: Path, folder: Folder) -> int:
    """Return how many events ended processes left in a folder; what running ones have does not count."""
    count = 0
    with suppress(OSError):
        adoption = Adoption(files, root, Folder(folder.name, folder.destination))
        for backlog in adoption.next(MAX_ADOPTED):
            count += backlog.waiting
            backlog.forget()
    return count


def _drop(files: Files, root: Path, folder: Folder) -> int:
    count = 0
    with suppress(OSError):
        adoption = Adoption(files, root, Folder(folder.name, folder.destination))
        adoption.remove_drafts(Clock()())
        while found := adoption.next(MAX_ADOPTED):
            for backlog in found:
                count += backlog.waiting
                adoption.remove(backlog)
    with suppress(OSError):
        DeadLetters(files, root / folder.name, Clock()).clear()
    _remove_empty(files, root, folder)
    return count


def _remove_empty(files: Files, root: Path, folder: Folder) -> None:
    """Remove a folder in which nothing is left; one of an earlier release stays, whose name may be any folder's."""
    path = root / folder.name
    for each in (path / FOLDER, path) if folder.project else ():
        with suppress(OSError):
            files.remove_directory(each)
