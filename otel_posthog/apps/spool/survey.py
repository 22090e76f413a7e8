"""What is in a spool, whichever process has it: read without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from otel_posthog.apps.spool.show import notice
from otel_posthog.deliver.spool.backlog import Backlog
from otel_posthog.deliver.spool.dead_letters import FOLDER, DeadLetters
from otel_posthog.deliver.spool.files import Files, OsFiles
from otel_posthog.deliver.spool.folder import folder_for, parse_folder
from otel_posthog.deliver.spool.owner import Owned, adopt, directories, read_about
from otel_posthog.deliver.spool.segment import ClosedSegments, NewerFormatError
from otel_posthog.model import CleanEvent
from otel_posthog.private_files import ForeignError

IN_USE, LEFT = "in use", "left behind"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Holding:
    """One directory of a spool.

    Attributes:
        destination: The name of the policy's destination.
        project: Stands for the key and host that it waits for; empty where an earlier release noted none.
        path: The directory.
        pid: Of the process that made it; 0 where that is not known.
        state: `in use` (a running process has it) or `left behind`.
        events: How many wait.
        size_bytes: Of the segments.
        oldest_ms: When the oldest was stored, in milliseconds since 1970; None where none waits.
    """

    destination: str
    project: str
    path: Path
    pid: int
    state: str
    events: int
    size_bytes: int
    oldest_ms: int | None


def files_in(root: Path) -> OsFiles:
    """Return the file system of a spool: root may work there for its user; where it is read-only, it is read."""
    return OsFiles(root, for_owner=True, may_only_read=True)


def folders(root: Path, destination: str | None, tell: Tell = notice) -> list[Path]:
    """Return the folders of the destinations in `root`, or of one; one that is not ours is reported and left out."""
    files = files_in(root)
    return [root / name for name in _names(files, root, destination) if _is_usable(files, root / name, tell)]


def has_folder(root: Path, destination: str) -> bool:
    """Return whether there is a folder of a destination in `root`, ours or not."""
    return bool(_names(files_in(root), root, destination))


def _names(files: Files, root: Path, destination: str | None) -> list[str]:
    found = [each for each in map(parse_folder, files.names(root)) if each is not None]
    labels = None if destination is None else {folder_for(destination, project).label for project in ("", "0" * 16)}
    return [each.name for each in found if labels is None or each.label in labels]


def _is_usable(files: Files, folder: Path, tell: Tell) -> bool:
    """Return whether a folder is ours; say so where it is not. A file beside the folders does not matter."""
    try:
        files.names(folder)
    except OSError as error:
        if not folder.is_file():
            tell(f"{folder} is left alone: {error.strerror}")
        return False
    return True


def survey(root: Path, destination: str | None = None, tell: Tell = notice) -> list[Holding]:
    """Return what each process has or left; what is not ours is left out.

    Args:
        root: The spool.
        destination: Of this one only; None for all.
        tell: Gets a line for each that is left out.
    """
    files = files_in(root)
    paths = (path for folder in folders(root, destination, tell) for path in directories(files, folder))
    return [each for path in paths for each in _holding(files, path, tell)]


def is_in_use(files: Files, path: Path) -> bool:
    """Return whether a process has the directory; looks by locking it for a moment.

    Raises:
        ForeignError: It is not ours.
    """
    owned = adopt(files, path)
    if owned is None:
        return path.exists()
    owned.release()
    return False


def events_of(files: Files, path: Path) -> Iterator[CleanEvent]:
    """Yield the events that wait in a directory, whichever process has it."""
    return (event for event, _ in stored_in(files, path))


def stored_in(files: Files, path: Path) -> Iterator[tuple[CleanEvent, int]]:
    """Yield the events that wait in a directory, each with when it was stored; milliseconds since 1970."""
    backlog = peek(files, path)
    if backlog is None:
        return
    try:
        while taken := backlog.take(200, 10**8):
            yield from ((event, backlog.stored_ms(position)) for event, position in taken)
    except OSError:
        return  # its owner removed it meanwhile: all is delivered
    finally:
        backlog.close()


def peek(files: Files, path: Path) -> Backlog | None:
    """Return what waits in a directory, to be read only; None where it is gone or of a newer release."""
    unowned = Owned(path, -1, files)
    try:
        return Backlog(files, unowned, ClosedSegments(files, unowned.path), lambda *_: None, lambda: 0)
    except (OSError, NewerFormatError):
        return None


def dead_letters(root: Path, destination: str | None = None, tell: Tell = notice) -> list[tuple[str, DeadLetters]]:
    """Return the dead letters of each destination, with the name of its folder; arguments are those of `survey`."""
    files = files_in(root)
    usable = [each for each in folders(root, destination, tell) if _is_usable(files, each / FOLDER, tell)]
    return [(each.name, DeadLetters(files, each, lambda: 0)) for each in usable]


def _holding(files: Files, path: Path, tell: Tell) -> Iterator[Holding]:
    """Yield what a directory holds; nothing where it is gone, or not ours, which is reported."""
    try:
        state = IN_USE if is_in_use(files, path) else LEFT
        backlog = peek(files, path)
    except ForeignError as error:
        tell(f"{error.filename} is left alone: {error.strerror}")
        return
    if backlog is None:
        return
    try:
        backlog.read_ahead()
        events = backlog.waiting
        oldest_ms = backlog.oldest_ms
    except OSError:
        return
    finally:
        backlog.close()
    about = read_about(files, path)
    pid, address_ = about.get("pid"), parse_folder(path.parent.name)
    yield Holding(
        destination=str(about.get("destination") or path.parent.name),
        project=address_.project if address_ else "",
        path=path,
        pid=pid if isinstance(pid, int) else 0,
        state=state,
        events=events,
        size_bytes=backlog.segments.size_bytes,
        oldest_ms=oldest_ms if events else None,
    )
