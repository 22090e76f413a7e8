"""What is in a spool, whoever has it: read without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from otel_posthog.deliver.spool.backlog import Backlog
from otel_posthog.deliver.spool.dead_letters import FOLDER, DeadLetters
from otel_posthog.deliver.spool.files import OsFiles
from otel_posthog.deliver.spool.owner import Owned, adopt, directories, read_about
from otel_posthog.deliver.spool.sealed import NewerFormatError, Sealed
from otel_posthog.model import CleanEvent

FILES = OsFiles()
IN_USE, LEFT = "in use", "left behind"


@dataclass(frozen=True, slots=True)
class Holding:
    """One directory of a spool.

    Attributes:
        destination: The name of the policy's destination.
        path: The directory.
        pid: Of the process that made it; 0 where that is not known.
        state: `in use` (a running process has it) or `left behind`.
        events: How many wait.
        size_bytes: Of the segments.
        oldest_ms: When the oldest was stored, in milliseconds since 1970; None where none waits.
    """

    destination: str
    path: Path
    pid: int
    state: str
    events: int
    size_bytes: int
    oldest_ms: int | None


def folders(root: Path, destination: str | None) -> list[Path]:
    """Return the folders of the destinations in `root`, or of one."""
    from otel_posthog.deliver.spool.place import folder_of  # noqa: PLC0415

    if destination is not None:
        return [folder_of(root, destination)]
    return [root / name for name in FILES.names(root) if (root / name).is_dir()]


def survey(root: Path, destination: str | None = None) -> list[Holding]:
    """Return what each process has or left."""
    found = (_holding(path) for folder in folders(root, destination) for path in directories(FILES, folder))
    return [each for each in found if each is not None]


def is_in_use(path: Path) -> bool:
    """Return whether a process has the directory; looks by locking it for a moment."""
    owned = adopt(FILES, path)
    if owned is None:
        return path.exists()
    owned.release()
    return False


def events_of(path: Path) -> Iterator[CleanEvent]:
    """Yield the events that wait in a directory, whoever has it."""
    backlog = peek(path)
    if backlog is None:
        return
    try:
        while taken := backlog.take(200, 10**8):
            yield from (event for event, _ in taken)
    except OSError:
        return  # its owner removed it meanwhile: all is delivered
    finally:
        backlog.close()


def peek(path: Path) -> Backlog | None:
    """Return what waits in a directory, to be read only; None where it is gone or of a newer release."""
    unowned = Owned(path, -1, FILES)
    try:
        return Backlog(FILES, unowned, Sealed(FILES, unowned), lambda *_: None, lambda: 0)
    except (OSError, NewerFormatError):
        return None


def dead_letters(root: Path, destination: str | None = None) -> list[tuple[str, DeadLetters]]:
    """Return the dead letters of each destination, with the name of its folder."""
    found = folders(root, destination)
    return [(each.name, DeadLetters(FILES, each, lambda: 0)) for each in found if (each / FOLDER).is_dir()]


def _holding(path: Path) -> Holding | None:
    about = read_about(FILES, path)
    state = IN_USE if is_in_use(path) else LEFT
    backlog = peek(path)
    if backlog is None:
        return None
    try:
        backlog.look()
        events = backlog.waiting
        oldest_ms = backlog.oldest_ms
    except OSError:
        return None
    finally:
        backlog.close()
    pid = about.get("pid")
    return Holding(
        destination=str(about.get("destination") or path.parent.name),
        path=path,
        pid=pid if isinstance(pid, int) else 0,
        state=state,
        events=events,
        size_bytes=backlog.segments.size_bytes,
        oldest_ms=oldest_ms if events else None,
    )
