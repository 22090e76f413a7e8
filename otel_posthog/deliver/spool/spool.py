"""The store on disk of one destination.

Comes in: clean events from any thread. Goes out: batches, to the sending thread. An event is written before `put`
returns; where the disk does not take it, it waits in memory until the disk does. This process's own directory, memory,
and the directories of ended processes take turns, one batch each, so that a large backlog delays no fresh event by more
than a batch.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from otel_posthog import health as outcome
from otel_posthog.deliver.spool.adoption import Adoption, count_waiting, drop, expire
from otel_posthog.deliver.spool.backlog import CUT, Backlog
from otel_posthog.deliver.spool.dead_letters import DeadLetters
from otel_posthog.deliver.spool.disk_state import PASSING, DiskState
from otel_posthog.deliver.spool.files import Clock, Files, OsFiles
from otel_posthog.deliver.spool.folder import Folder, folder_for, parse_folder, unbound_path
from otel_posthog.deliver.spool.segment import VERSION
from otel_posthog.deliver.spool.sources import Overflow, Own, Sources, open_own
from otel_posthog.deliver.spool.writer import MAX_SEGMENT_BYTES, CannotNowError, Syncing
from otel_posthog.deliver.store import CHILDREN_S
from otel_posthog.health import Health, Level
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy
from otel_posthog.threads import RLock

MAINTAIN_S = 30.0
_NOBODYS = (
    "a project that the release which kept them did not note: `otel-posthog spool drain --unbound` sends what waits "
    "to the one whose key is here"
)
_OTHERS = (
    "another project or host than the destination of that name has here: what waits stays for who has the key, until "
    "it is too old; `otel-posthog spool list` shows it"
)


class Spool:
    """Events on disk, bounded by bytes and age.

    Args:
        root: Of the spools of all destinations.
        destination: Whose events these are: a folder of the spool, or a name alone, which binds them to no project.
        policy: The bounds.
        health: Counts what becomes of events and what the disk does.
        files: The file system.
        now_ms: Milliseconds since 1970.
        max_segment_bytes: Size of a segment.

    Raises:
        OSError: The directory cannot be used.
    """

    def __init__(  # noqa: PLR0913 - the last three by name, for tests
        self,
        root: Path,
        destination: Folder | str,
        policy: DeliveryPolicy,
        health: Health,
        *,
        files: Files | None = None,
        now_ms: Clock | None = None,
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
    ) -> None:
        self._folder = folder_for(destination) if isinstance(destination, str) else destination
        self._root, self._policy, self._health = root, policy, health
        self._files: Files = files or OsFiles(root)
        self._now_ms = now_ms or Clock()
        self._max_segment_bytes = max_segment_bytes
        self._path = root / self._folder.name
        self._disk = DiskState(health, self._path)
        self._adoption = Adoption(
            self._files, root, self._folder, self._lost, oldest_ms=self._oldest_ms, log=self._disk.log_later
        )
        self._dead = DeadLetters(self._files, self._path, self._now_ms)
        self._overflow = Overflow(policy.max_buffer_bytes)
        self._start_fresh()
        self._make_folder()
        try:
            self._open()
        except OSError as error:
            if error.errno not in PASSING:
                raise
            self._disk.failed(error)
        self._log_unbound()
        self.maintain()

    def _log_unbound(self) -> None:
        """Log what waits under this destination's name for another key or host, or for a project that is not known."""
        mine = self._folder
        if not mine.project:
            return
        for found in self._adoption.others():
            is_unbound = found.name == unbound_path(self._root, mine.destination).name
            is_others = found.project not in {"", mine.project} and found.label == mine.label
            if not (is_unbound or is_others):
                continue
            count = count_waiting(self._files, self._root, found)
            if count:
                place, whose = self._root / found.name, _NOBODYS if is_unbound else _OTHERS
                waiting = f"{count} product events wait" if count > 1 else "1 product event waits"
                self._disk.log_later(f"{waiting} in {place} for {whose}")

    def _start_fresh(self) -> None:
        # Reentrant: a signal handler may capture an event, or flush, while this thread is inside.
        self._opening, self._lock = RLock(), RLock()
        self._syncing = Syncing(self._files, self._disk.count_error)
        self._sources = Sources(self._adoption, self._overflow, self._disk, self._health)
        self._maintained_at: float | None = None
        self._looked_at = 0.0
        self._has_children = self._is_closed = False

    @property
    def size_bytes(self) -> int:
        """The size of the segments that are kept, this process's and adopted ones, and of what is in memory."""
        return sum(each.segments.size_bytes for each in self._sources.backlogs) + self._overflow.size_bytes

    @property
    def volatile(self) -> int:
        """How many events would be lost with this process: those that the disk does not take."""
        return self._overflow.volatile

    @property
    def room_bytes(self) -> int:
        """How many bytes of further events there is room for."""
        own = self._sources.own
        return self._policy.max_spool_bytes - self._sources.elsewhere_bytes - (own.writer.size_bytes if own else 0)

    @property
    def is_durable(self) -> bool:
        """Whether other processes find what this one leaves."""
        return True

    def __len__(self) -> int:
        return self._sources.waiting

    def level(self) -> Level:
        """Return how full it is."""
        backlogs = self._sources.backlogs
        events = self._overflow.volatile + sum(each.waiting + each.taken for each in backlogs)
        oldest_ms = min((each.oldest_ms or self._now_ms() for each in backlogs), default=self._now_ms())
        return Level(self.size_bytes, events, (self._now_ms() - oldest_ms) / 1000 if events else 0.0)

    def put(self, event: CleanEvent) -> bool:
        """Write `event`; return False where there is no room."""
        if self._is_closed:
            return False
        if self._disk.may_write():
            try:
                own = self._sources.own or self._open()
                if len(event.body) > self.room_bytes:
                    return False
                own.writer.append(event)
            except CannotNowError:
                return self._overflow.put(event)
            except OSError as error:
                self._disk.failed(error)
            else:
                self._disk.succeeded()
                if len(self._overflow):
                    self._overflow.spill(own.writer, self._disk)
                return True
        return self._overflow.put(event)

    def put_all(self, events: Sequence[CleanEvent]) -> int:
        """Write `events` with one write; those that it does not take one by one. Return how many found room."""
        done = self._put_at_once(events) if len(events) > 1 else 0
        for number, event in enumerate(events[done:], done):
            if not self.put(event):
                return number
        return len(events)

    def _put_at_once(self, events: Sequence[CleanEvent]) -> int:
        own, size = self._sources.own, sum(len(event.body) for event in events)
        if self._is_closed or own is None or len(self._overflow) or not self._disk.may_write():
            return 0
        return own.writer.append_all(events) if size <= self.room_bytes else 0

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Return the oldest events of the directory whose turn it is."""
        with self._lock:
            return self._sources.take(max_events, max_bytes)

    def acknowledge(self, events: Sequence[CleanEvent]) -> None:
        """Forget events that were taken; those that were discarded meanwhile are forgotten already."""
        with self._lock:
            self._sources.acknowledge(events)

    def dead_letter(self, events: Sequence[CleanEvent], reason: str) -> None:
        """Acknowledge events and keep them as dead letters."""
        with self._disk.counting_errors():
            if self._dead.add(events, reason):
                self._health.count(outcome.DEAD_LETTERED, reason, len(events))
            else:
                self._health.count(outcome.STORAGE_ERROR, "dead_letters_full")
        self.acknowledge(events)

    def adopted(self, events: Sequence[CleanEvent]) -> int:
        """Return how many of `events`, taken and not given back, were left by ended processes."""
        return self._sources.adopted_of(events)

    def discard(self, reason: str) -> int:  # noqa: ARG002 - the caller counts it
        """Forget everything of this destination and installation that no other living process has."""
        with self._lock, self._opening:
            own, adopted = self._sources.forget()
            count = self._overflow.discard("")
            if own is not None:
                own.writer.close()
                own.writer.end_segment(is_needed=False)
            for backlog in ([own.backlog] if own else []) + adopted:
                with self._disk.counting_errors():
                    if self._is_own(backlog):
                        count += backlog.waiting + backlog.taken
                        self._adoption.remove(backlog)
                    else:
                        backlog.release()
            with self._disk.counting_errors():
                count += drop(self._files, self._root, lambda found: found.name == self._folder.name)
            return count

    def _is_own(self, backlog: Backlog) -> bool:
        """Return whether it is in this installation's folders, and not adopted from another's."""
        found = parse_folder(backlog.owned.path.parent.name)
        return found is None or found.installation == self._folder.installation

    def maintain(self) -> None:
        """Adopt what ended processes left, drop what is too old, sync, and try a disk again that failed."""
        now = time.monotonic()
        if self._is_closed:
            return
        works: tuple[Callable[[], None], ...] = ()
        if self._maintained_at is None or now - self._maintained_at >= MAINTAIN_S:
            self._maintained_at = self._looked_at = now
            works = (self._expire, self._sources.adopt, self._sources.clear_up, self._sources.sync, self._spill_all)
        elif self._has_children and now - self._looked_at >= CHILDREN_S:
            self._looked_at = now
            works = (self._sources.adopt, self._sources.clear_up)
        with self._lock:
            # Each by itself: what one of them meets holds up none of the others.
            for work in works:
                with self._disk.counting_errors():
                    work()

    def look_after_children(self) -> None:
        """Look often for what ended processes left."""
        self._has_children = True

    def _expire(self) -> None:
        self._adoption.remove_drafts(self._now_ms())
        others, project = self._adoption.others(), self._folder.project
        expire(self._files, self._root, others, self._lost, self._oldest_ms, project=project)
        self._dead.expire(self._oldest_ms())

    def log(self) -> None:
        """Log what became of the disk."""
        self._disk.log()

    def close(self) -> None:
        """Sync, and let another process have what is left."""
        if self._is_closed:
            return
        self._is_closed = True
        with self._lock, self._opening:
            self._spill_all()
            # What is still being sent is not given back: the files are closed.
            own, adopted = self._sources.forget()
            if own is not None:
                with self._disk.counting_errors():
                    own.close()
            for backlog in adopted:
                with self._disk.counting_errors():
                    backlog.release()

    def reset_after_fork(self) -> None:
        """Close what was inherited and start with nothing; the child makes a directory with its first event."""
        syncing, (own, adopted) = self._syncing, self._sources.forget()
        self._start_fresh()
        self._overflow.reset_after_fork()
        with contextlib.suppress(OSError):
            syncing.forget()
        for each in (*((own.writer, own.backlog) if own else ()), *adopted):
            with contextlib.suppress(OSError):
                each.forget()

    def _make_folder(self) -> None:
        self._files.make_directory(self._root)
        self._files.make_directory(self._path)
        # Their names have to survive a power cut as well; not every file system can sync a directory.
        with contextlib.suppress(OSError):
            self._files.sync_directory(self._root.parent)
            self._files.sync_directory(self._root)

    def _open(self) -> Own:
        with self._opening:
            if self._sources.own is None:
                self._sources.own = open_own(
                    self._files,
                    self._path,
                    about={"pid": os.getpid(), "destination": self._folder.destination, "format": VERSION},
                    syncing=self._syncing,
                    lost=self._lost,
                    now_ms=self._now_ms,
                    oldest_ms=self._oldest_ms,
                    max_segment_bytes=self._max_segment_bytes,
                )
            return self._sources.own

    def _spill_all(self) -> None:
        """Move what memory has to disk, if that works."""
        if not len(self._overflow) or not self._disk.may_write():
            return
        try:
            own = self._sources.own or self._open()
        except OSError as error:
            self._disk.failed(error)
            return
        while len(self._overflow) and self._overflow.spill(own.writer, self._disk):
            self._disk.succeeded()

    def _oldest_ms(self) -> int:
        return self._now_ms() - int(self._policy.max_spool_age_s * 1000)

    def _lost(self, reason: str, count: int) -> None:
        if reason == CUT:
            self._health.count(outcome.STORAGE_ERROR, reason)
            # How many more there were is not known: a process that is killed as it writes leaves the same.
            self._disk.log_later(
                f"the spool {self._path} ends within an event: it is lost, with all that stood behind it"
            )
        else:
            self._health.count(outcome.DROPPED, reason, count)
