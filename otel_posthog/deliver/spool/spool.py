"""The store on disk of one destination.

Comes in: clean events from any thread. Goes out: batches, to whoever sends. An event is written before `put` returns;
where the disk does not take it, it waits in memory until the disk does. This process's own directory, memory, and the
directories of ended processes take turns, one batch each, so that a large backlog delays no fresh event by more than
a batch.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from otel_posthog import health as outcome
from otel_posthog.deliver.spool.adoption import MAX_ADOPTED, Adoption
from otel_posthog.deliver.spool.backlog import CUT, Backlog
from otel_posthog.deliver.spool.clock import Clock
from otel_posthog.deliver.spool.cursor import Place
from otel_posthog.deliver.spool.dead_letters import DeadLetters
from otel_posthog.deliver.spool.files import Files, OsFiles
from otel_posthog.deliver.spool.overflow import Overflow
from otel_posthog.deliver.spool.own import Own, open_own
from otel_posthog.deliver.spool.place import folder_of
from otel_posthog.deliver.spool.segment import VERSION
from otel_posthog.deliver.spool.syncing import Syncing
from otel_posthog.deliver.spool.trouble import PASSING, RETRY_S, Trouble
from otel_posthog.deliver.spool.writer import MAX_SEGMENT_BYTES, CannotNowError
from otel_posthog.health import Health, Level
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy

TEND_S = 30.0
# A segment whose events are all delivered is given up from this size on; below, it is not worth a new file.
RETIRE_BYTES = 256 * 1024


class Spool:
    """Events on disk, bounded by bytes and age.

    Args:
        root: Of the spools of all destinations.
        destination: Whose events these are.
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
        destination: str,
        policy: DeliveryPolicy,
        health: Health,
        *,
        files: Files | None = None,
        now_ms: Clock | None = None,
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
    ) -> None:
        self._root, self._destination, self._policy, self._health = root, destination, policy, health
        self._files: Files = files or OsFiles(root)
        self._now_ms = now_ms or Clock()
        self._max_segment_bytes = max_segment_bytes
        self.folder = folder_of(root, destination)
        self._trouble = Trouble(health, self.folder)
        self._adoption = Adoption(self._files, self.folder, self._lost, self._oldest_ms, self._trouble.note)
        self._dead = DeadLetters(self._files, self.folder, self._now_ms)
        self._overflow = Overflow(policy.max_buffer_bytes)
        self._start_fresh()
        self._make_folder()
        try:
            self._open()
        except OSError as error:
            if error.errno not in PASSING:
                raise
            self._trouble.failed(error)
        self.tend()

    def _start_fresh(self) -> None:
        # Reentrant: a signal handler may capture an event, or flush, while this thread is inside.
        self._opening, self._lock = threading.RLock(), threading.RLock()
        self._syncing = Syncing(self._files, self._trouble.count)
        self._own: Own | None = None
        self._adopted: list[Backlog] = []
        self._taken: dict[int, tuple[CleanEvent, Backlog | None, Place]] = {}
        self._stalled: dict[Backlog, float] = {}
        self._turn = 0
        self._elsewhere_bytes = 0
        self._tended_at: float | None = None
        self._is_closed = False

    @property
    def size_bytes(self) -> int:
        """The size of the segments that are kept, this process's and adopted ones, and of what is in memory."""
        return sum(each.segments.size_bytes for each in self._backlogs()) + self._overflow.size_bytes

    @property
    def volatile(self) -> int:
        """How many events would be lost with this process: those that the disk does not take."""
        return self._overflow.volatile

    @property
    def room_bytes(self) -> int:
        """How many bytes of further events there is room for."""
        own = self._own
        return self._policy.max_spool_bytes - self._elsewhere_bytes - (own.writer.size_bytes if own else 0)

    def __len__(self) -> int:
        return sum(each.waiting for each in self._backlogs() if not self._is_stalled(each)) + len(self._overflow)

    def level(self) -> Level:
        """Return how full it is."""
        events = self._overflow.volatile + sum(each.waiting + each.taken for each in self._backlogs())
        oldest_ms = min((each.oldest_ms or self._now_ms() for each in self._backlogs()), default=self._now_ms())
        return Level(self.size_bytes, events, (self._now_ms() - oldest_ms) / 1000 if events else 0.0)

    def put(self, event: CleanEvent) -> bool:
        """Write `event`; return False where there is no room."""
        if self._is_closed:
            return False
        if self._trouble.may_try():
            try:
                own = self._own or self._open()
                if len(event.body) > self.room_bytes:
                    return False
                own.writer.append(event)
            except CannotNowError:
                return self._overflow.put(event)
            except OSError as error:
                self._trouble.failed(error)
            else:
                self._trouble.works()
                if len(self._overflow):
                    self._overflow.spill(own.writer, self._trouble)
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
        own, size = self._own, sum(len(event.body) for event in events)
        if self._is_closed or own is None or len(self._overflow) or not self._trouble.may_try():
            return 0
        return own.writer.append_all(events) if size <= self.room_bytes else 0

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Return the oldest events of the directory whose turn it is."""
        with self._lock:
            places: list[Backlog | None] = [*self._backlogs(), None]
            for step in range(len(places)):
                place = places[(self._turn + step) % len(places)]
                taken = self._take(place, max_events, max_bytes)
                if taken:
                    self._turn = (self._turn + step + 1) % len(places)
                    return taken
            return []

    def acknowledge(self, events: Sequence[CleanEvent]) -> None:
        """Forget events that were taken; those that were discarded meanwhile are forgotten already."""
        with self._lock:
            by_backlog: dict[Backlog, list[Place]] = {}
            for event in events:
                _, backlog, place = self._taken.pop(id(event), (event, None, (0, 0)))
                if backlog is not None:
                    by_backlog.setdefault(backlog, []).append(place)
            self._overflow.acknowledge(events)
            for backlog, places in by_backlog.items():
                with self._counting():
                    backlog.done(places)
                    self._tidy(backlog, RETIRE_BYTES)

    def bury(self, events: Sequence[CleanEvent], reason: str) -> None:
        """Acknowledge events and keep them as dead letters."""
        with self._counting():
            if self._dead.add(events, reason):
                self._health.count(outcome.BURIED, reason, len(events))
            else:
                self._health.count(outcome.STORAGE_ERROR, "dead_letters_full")
        self.acknowledge(events)

    def adopted(self, events: Sequence[CleanEvent]) -> int:
        """Return how many of `events`, taken and not given back, were left by ended processes."""
        own = self._own.backlog if self._own else None
        sources = (self._taken.get(id(event), (event, None, (0, 0)))[1] for event in events)
        return sum(source is not None and source is not own for source in sources)

    def discard(self, reason: str) -> int:  # noqa: ARG002 - the caller counts it
        """Forget everything of this destination that no other living process has."""
        with self._lock, self._opening:
            own, self._own = self._own, None
            adopted, self._adopted = self._adopted, []
            self._taken.clear()
            count = self._overflow.discard("")
            if own is not None:
                own.writer.close()
                own.writer.seal(is_needed=False)
            left = iter(lambda: self._adoption.next(MAX_ADOPTED), [])
            for backlog in chain([own.backlog] if own else [], adopted, chain.from_iterable(left)):
                count += backlog.waiting + backlog.taken
                with self._counting():
                    self._adoption.remove(backlog)
            with self._counting():
                self._dead.clear()
            return count

    def tend(self) -> None:
        """Adopt what ended processes left, drop what is too old, sync, and try a disk again that failed."""
        now = time.monotonic()
        if self._is_closed or (self._tended_at is not None and now - self._tended_at < TEND_S):
            return
        self._tended_at = now
        with self._lock:
            # Each by itself: what one of them meets holds up none of the others.
            for work in (self._expire, self._adopt, self._look, self._sync, self._spill_all):
                with self._counting():
                    work()

    def _expire(self) -> None:
        self._adoption.remove_drafts(self._now_ms())
        self._adoption.expire_elsewhere(self._root)
        self._dead.expire(self._oldest_ms())

    def _look(self) -> None:
        for backlog in tuple(self._backlogs()):
            with self._counting():
                backlog.look()
                self._tidy(backlog, 0)

    def _sync(self) -> None:
        if self._own is not None:
            self._own.writer.sync()

    def tell(self) -> None:
        """Log what became of the disk."""
        self._trouble.tell()

    def close(self) -> None:
        """Sync, and let another process have what is left."""
        if self._is_closed:
            return
        self._is_closed = True
        with self._lock, self._opening:
            self._spill_all()
            own, self._own = self._own, None
            adopted, self._adopted = self._adopted, []
            # Whoever still sends has nothing to give back: the files are closed.
            self._taken.clear()
            if own is not None:
                with self._counting():
                    own.close()
            for backlog in adopted:
                with self._counting():
                    backlog.release()

    def reset_after_fork(self) -> None:
        """Close what was inherited and start with nothing; the child makes a directory with its first event."""
        syncing, own, adopted = self._syncing, self._own, self._adopted
        self._start_fresh()
        self._overflow.reset_after_fork()
        with contextlib.suppress(OSError):
            syncing.forget()
        for each in (*((own.writer, own.backlog) if own else ()), *adopted):
            with contextlib.suppress(OSError):
                each.forget()

    def _make_folder(self) -> None:
        self._files.make_directory(self._root)
        self._files.make_directory(self.folder)
        # Their names have to survive a power cut as well; not every file system can sync a directory.
        with contextlib.suppress(OSError):
            self._files.sync_directory(self._root.parent)
            self._files.sync_directory(self._root)

    def _open(self) -> Own:
        with self._opening:
            if self._own is None:
                self._own = open_own(
                    self._files,
                    self.folder,
                    about={"pid": os.getpid(), "destination": self._destination, "format": VERSION},
                    syncing=self._syncing,
                    lost=self._lost,
                    now_ms=self._now_ms,
                    oldest_ms=self._oldest_ms,
                    max_segment_bytes=self._max_segment_bytes,
                )
            return self._own

    def _backlogs(self) -> Iterable[Backlog]:
        own = self._own
        return (*((own.backlog,) if own else ()), *self._adopted)

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
            # Without a pause whoever sends would try again and again.
            self._stalled[backlog] = time.monotonic() + RETRY_S
            self._trouble.count(error)
            return []
        self._taken.update((id(event), (event, backlog, place)) for event, place in taken)
        return [event for event, _ in taken]

    def _is_stalled(self, backlog: Backlog) -> bool:
        return bool(self._stalled) and time.monotonic() < self._stalled.get(backlog, 0.0)

    def _tidy(self, backlog: Backlog, retire_bytes: int) -> None:
        """Give up files in which nothing is left.

        Raises:
            OSError: As of the file system.
        """
        if backlog.waiting or backlog.taken:
            return
        own = self._own
        if own is not None and backlog is own.backlog:
            head = own.writer.head
            if head.is_open and head.committed < retire_bytes:
                return
            own.writer.seal(is_needed=False)
            backlog.look()
            backlog.settle()
            return
        backlog.look()
        if backlog.is_done:
            self._adopted.remove(backlog)
            self._stalled.pop(backlog, None)
            self._adoption.remove(backlog)
            self._adopt()

    def _adopt(self) -> None:
        """Take over more directories, up to the bound."""
        for backlog in self._adoption.next(MAX_ADOPTED - len(self._adopted)):
            self._adopted.append(backlog)
            self._health.count(outcome.ADOPTED, "", backlog.waiting)
        adopted = sum(each.segments.size_bytes for each in self._adopted)
        self._elsewhere_bytes = adopted + self._adoption.size_of_others()

    def _spill_all(self) -> None:
        """Move what memory has to disk, if that works."""
        if not len(self._overflow) or not self._trouble.may_try():
            return
        try:
            own = self._own or self._open()
        except OSError as error:
            self._trouble.failed(error)
            return
        while len(self._overflow) and self._overflow.spill(own.writer, self._trouble):
            self._trouble.works()

    def _oldest_ms(self) -> int:
        return self._now_ms() - int(self._policy.max_spool_age_s * 1000)

    def _lost(self, reason: str, count: int) -> None:
        if reason == CUT:
            self._health.count(outcome.STORAGE_ERROR, reason)
        else:
            self._health.count(outcome.DROPPED, reason, count)

    @contextlib.contextmanager
    def _counting(self) -> Iterator[None]:
        """Count an error of the disk after which all goes on: at worst events are sent twice, with the same uuid."""
        try:
            yield
        except OSError as error:
            self._trouble.count(error)
