"""Where a spool's batches come from: this process's own directory, adopted ones, and memory, in turns.

Comes in: the sender's wish for a batch, and its acknowledgements. Goes out: batches, each from one source; a source in
which nothing is left is removed. Runs under the spool's lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from otel_posthog import health as outcome
from otel_posthog.deliver.spool.adoption import MAX_ADOPTED, Adoption
from otel_posthog.deliver.spool.backlog import Backlog, Lost
from otel_posthog.deliver.spool.cursor import Position
from otel_posthog.deliver.spool.disk_state import RETRY_S, DiskState
from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.owner import Owned, create
from otel_posthog.deliver.spool.writer import CannotNowError, Syncing, Writer
from otel_posthog.deliver.store import MemoryStore
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent

# A segment whose events are all delivered is removed from this size on; below, it is not worth a new file.
RETIRE_BYTES = 256 * 1024
# Moved from memory to a disk that works again with each event that is put.
SPILL_EVENTS = 100
_ANY_SIZE = 2**62


class Sources:
    """What there is to send; the caller holds the spool's lock, but for reading sizes and numbers.

    Args:
        adoption: Finds what ended processes left.
        overflow: What the disk does not take.
        disk: Counts errors after which all goes on.
        health: Counts what is adopted.

    Attributes:
        own: This process's directory; None before its first event.
        adopted: The directories that were taken over.
        elsewhere_bytes: The size of what other processes have, and of what was adopted.
        taken: What is under way, by the identity of the event.
    """

    def __init__(self, adoption: Adoption, overflow: Overflow, disk: DiskState, health: Health) -> None:
        self._adoption, self._overflow, self._disk, self._health = adoption, overflow, disk, health
        self.own: Own | None = None
        self.adopted: list[Backlog] = []
        self.elsewhere_bytes = 0
        self.taken: dict[int, tuple[CleanEvent, Backlog | None, Position]] = {}
        self._stalled: dict[Backlog, float] = {}
        self._turn = 0

    @property
    def backlogs(self) -> tuple[Backlog, ...]:
        """The directories, this process's own first."""
        own = self.own
        return (*((own.backlog,) if own else ()), *self.adopted)

    @property
    def waiting(self) -> int:
        """How many events there are to take now."""
        return sum(each.waiting for each in self.backlogs if not self._is_stalled(each)) + len(self._overflow)

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Return the oldest events of the directory, or of memory, whose turn it is."""
        sources: list[Backlog | None] = [*self.backlogs, None]
        for step in range(len(sources)):
            source = sources[(self._turn + step) % len(sources)]
            taken = self._take(source, max_events, max_bytes)
            if taken:
                self._turn = (self._turn + step + 1) % len(sources)
                return taken
        return []

    def acknowledge(self, events: Sequence[CleanEvent]) -> None:
        """Forget events that were taken; those that were discarded meanwhile are forgotten already."""
        by_backlog: dict[Backlog, list[Position]] = {}
        for event in events:
            _, backlog, position = self.taken.pop(id(event), (event, None, (0, 0)))
            if backlog is not None:
                by_backlog.setdefault(backlog, []).append(position)
        self._overflow.acknowledge(events)
        for backlog, positions in by_backlog.items():
            with self._disk.counting_errors():
                backlog.done(positions)
                self._tidy(backlog, RETIRE_BYTES)

    def adopted_of(self, events: Sequence[CleanEvent]) -> int:
        """Return how many of `events`, taken and not given back, were left by ended processes."""
        own = self.own.backlog if self.own else None
        sources = (self.taken.get(id(event), (event, None, (0, 0)))[1] for event in events)
        return sum(source is not None and source is not own for source in sources)

    def adopt(self) -> None:
        """Take over more directories, up to the bound.

        Raises:
            OSError: As of the file system.
        """
        for backlog in self._adoption.next(MAX_ADOPTED - len(self.adopted)):
            self.adopted.append(backlog)
            self._health.count(outcome.ADOPTED, "", backlog.waiting)
        adopted = sum(each.segments.size_bytes for each in self.adopted)
        self.elsewhere_bytes = adopted + self._adoption.size_of_others()

    def clear_up(self) -> None:
        """Drop what is too old, and remove what is done with."""
        for backlog in self.backlogs:
            with self._disk.counting_errors():
                backlog.read_ahead()
                self._tidy(backlog, 0)

    def sync(self) -> None:
        """Have what this process wrote survive a power cut."""
        if self.own is not None:
            self.own.writer.sync()

    def forget(self) -> tuple[Own | None, list[Backlog]]:
        """Return the own directory and the adopted ones, and know of none any more, nor of what was taken."""
        own, self.own = self.own, None
        adopted, self.adopted = self.adopted, []
        self.taken.clear()
        return own, adopted

    def _take(self, backlog: Backlog | None, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Take from one directory, or from memory."""
        if backlog is None:
            return self._overflow.take(max_events, max_bytes)
        if self._is_stalled(backlog):
            return []
        try:
            taken = backlog.take(max_events, max_bytes)
            if not taken:
                self._tidy(backlog, RETIRE_BYTES)
        except OSError as error:
            # Without a pause the sending thread would try again and again.
            self._stalled[backlog] = time.monotonic() + RETRY_S
            self._disk.count_error(error)
            return []
        self.taken.update((id(event), (event, backlog, position)) for event, position in taken)
        return [event for event, _ in taken]

    def _is_stalled(self, backlog: Backlog) -> bool:
        return bool(self._stalled) and time.monotonic() < self._stalled.get(backlog, 0.0)

    def _tidy(self, backlog: Backlog, retire_bytes: int) -> None:
        """Remove files in which nothing is left.

        Raises:
            OSError: As of the file system.
        """
        if backlog.waiting or backlog.taken:
            return
        own = self.own
        if own is not None and backlog is own.backlog:
            head = own.writer.head
            if head.is_open and head.committed < retire_bytes:
                return
            own.writer.end_segment(is_needed=False)
            backlog.read_ahead()
            backlog.settle()
            return
        backlog.read_ahead()
        if backlog.is_done:
            self.adopted.remove(backlog)
            self._stalled.pop(backlog, None)
            self._adoption.remove(backlog)
            self.adopt()


class Own(NamedTuple):
    """This process's own directory, from both sides: made with its first event, gone when nothing is left in it."""

    writer: Writer
    backlog: Backlog

    def close(self) -> None:
        """Remove the directory if nothing is left in it, and let another process have it otherwise.

        Raises:
            OSError: As of the file system; another process can have it all the same.
        """
        self.writer.close()
        is_needed = bool(self.backlog.waiting or self.backlog.taken)
        self.writer.end_segment(is_needed=is_needed)
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


class Overflow(MemoryStore):
    """The events that the disk does not take: in memory until it does."""

    def spill(self, writer: Writer, disk: DiskState) -> bool:
        """Move some events to disk; return False where it does not take them."""
        events = self.take(SPILL_EVENTS, _ANY_SIZE)
        done = 0
        try:
            for event in events:
                writer.append(event)
                done += 1
        except CannotNowError:
            pass
        except OSError as error:
            disk.failed(error)
        finally:
            # Also where a signal handler raises, as of `sys.exit()`.
            self.acknowledge(events)
            for event in events[done:]:
                self.put(event)
        return done == len(events)
