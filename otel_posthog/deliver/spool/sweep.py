"""What becomes of folders from which nothing is sent here: what is too old goes, and what somebody opted out of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from otel_posthog.deliver.spool.adoption import MAX_ADOPTED, Adoption
from otel_posthog.deliver.spool.backlog import Lost
from otel_posthog.deliver.spool.clock import Clock
from otel_posthog.deliver.spool.dead_letters import FOLDER, DeadLetters
from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.owner import adopt, directories
from otel_posthog.deliver.spool.place import Address, address_of

Mine = Callable[[Address], bool]


def drop(files: Files, root: Path, is_mine: Mine) -> int:
    """Remove what ended processes left in folders that are mine, dead letters too; return how many events waited.

    What a running process has is that one's to drop.
    """
    found = [each for each in map(address_of, files.names(root)) if each is not None and is_mine(each)]
    return sum(_drop(files, root, each) for each in found)


def expire(  # noqa: PLR0913 - as a spool has them
    files: Files, root: Path, folders: Iterable[Address], lost: Lost, oldest_ms: Callable[[], int], *, project: str
) -> None:
    """Drop what is too old in `folders`; leave the rest for who sends it.

    Args:
        files: The file system.
        root: Of the spool.
        folders: Which.
        lost: Told of events that are gone.
        oldest_ms: Returns the time before which events are too old; milliseconds since 1970.
        project: What waits for this one is left to who adopts it here.
    """
    for each in folders:
        # Another user's is nobody's concern here, and what the disk does is told of this process's own folder.
        with suppress(OSError):
            if not project or each.project != project:
                _expire_events(Adoption(files, root, Address(each.folder, each.destination), lost, oldest_ms=oldest_ms))
            DeadLetters(files, root / each.folder, Clock()).expire(oldest_ms())
            _remove_empty(files, root, each)


def _expire_events(adoption: Adoption) -> None:
    adoption.remove_drafts(Clock()())
    for backlog in adoption.next(MAX_ADOPTED):
        backlog.look()
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


def waiting(files: Files, root: Path, folder: Address) -> int:
    """Return how many events ended processes left in a folder; what running ones have does not count."""
    count = 0
    with suppress(OSError):
        adoption = Adoption(files, root, Address(folder.folder, folder.destination))
        for backlog in adoption.next(MAX_ADOPTED):
            count += backlog.waiting
            backlog.forget()
    return count


def _drop(files: Files, root: Path, folder: Address) -> int:
    count = 0
    with suppress(OSError):
        adoption = Adoption(files, root, Address(folder.folder, folder.destination))
        adoption.remove_drafts(Clock()())
        while found := adoption.next(MAX_ADOPTED):
            for backlog in found:
                count += backlog.waiting
                adoption.remove(backlog)
    with suppress(OSError):
        DeadLetters(files, root / folder.folder, Clock()).clear()
    _remove_empty(files, root, folder)
    return count


def _remove_empty(files: Files, root: Path, folder: Address) -> None:
    """Remove a folder in which nothing is left; what an earlier release called as anybody may have stays."""
    path = root / folder.folder
    for each in (path / FOLDER, path) if folder.project else ():
        with suppress(OSError):
            files.remove_directory(each)
