"""This process's own directory: made with its first event, gone when nothing is left in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_posthog.deliver.spool.backlog import Backlog, Lost
from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.owner import Owned, create
from otel_posthog.deliver.spool.syncing import Syncing
from otel_posthog.deliver.spool.writer import Writer


@dataclass(frozen=True, slots=True)
class Own:
    """The directory, from both sides."""

    writer: Writer
    backlog: Backlog

    def close(self) -> None:
        """Remove the directory if nothing is left in it, and let another process have it otherwise.

        Raises:
            OSError: As of the file system; another process can have it all the same.
        """
        self.writer.close()
        is_needed = bool(self.backlog.waiting or self.backlog.taken)
        self.writer.seal(is_needed=is_needed)
        if is_needed:
            self.backlog.release()
        else:
            self.backlog.remove()


def open_own(  # noqa: PLR0913 - what the two sides need, by name
    files: Files,
    folder: Path,
    *,
    about: Mapping[str, object],
    syncing: Syncing,
    lost: Lost,
    now_ms: Callable[[], int],
    oldest_ms: Callable[[], int],
    max_segment_bytes: int,
) -> Own:
    """Return a new directory.

    Raises:
        OSError: As of the file system.
    """
    owned: Owned = create(files, folder, now_ms=now_ms(), about=about)
    writer = Writer(files, owned.path, syncing, now_ms, max_segment_bytes)
    backlog = Backlog(files, owned, writer, lost, oldest_ms)
    try:
        backlog.allocate()
    except OSError:
        backlog.remove()
        raise
    return Own(writer, backlog)
