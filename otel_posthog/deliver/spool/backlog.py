"""What waits in one directory, read from disk a window at a time, and how much of it is acknowledged.

What this process has appended a moment ago is taken from memory instead, where the writer still has it.

The sending thread reads and acknowledges; in this process's own directory the writer appends meanwhile.
Acknowledgements may come in any order. A segment whose events are all acknowledged is removed; of the others the cursor
knows the state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import chain
from operator import itemgetter

from otel_posthog.deliver.batch import take_batch
from otel_posthog.deliver.spool.cursor import Cursor, Position
from otel_posthog.deliver.spool.files import Files, remove_if
from otel_posthog.deliver.spool.owner import Owned
from otel_posthog.deliver.spool.record import Record, next_records
from otel_posthog.deliver.spool.segment import HEADER_BYTES, Fresh, Segments, is_segment, name_of
from otel_posthog.model import CleanEvent
from otel_posthog.private_files import ForeignError

DAMAGED, EXPIRED, CUT = "spool_damaged", "spool_expired", "record_cut"
"""What becomes of events here; that a record that is cut short is kept was never reported."""

Taken = tuple[CleanEvent, Position]
Lost = Callable[[str, int], None]
"""`lost(reason, count)` is called for events that are gone, and with no event for a record that is cut short."""


class Backlog:
    """The events of one directory, from the side that sends them.

    Args:
        files: The file system.
        owned: The directory.
        segments: What is in it.
        lost: Called for events that are gone.
        oldest_ms: Returns the time before which events are too old; milliseconds since 1970.
    """

    def __init__(
        self, files: Files, owned: Owned, segments: Segments, lost: Lost, oldest_ms: Callable[[], int]
    ) -> None:
        self._files, self.owned, self.segments = files, owned, segments
        self._lost, self._oldest_ms = lost, oldest_ms
        self._cursor = Cursor(files, owned.path)
        # Acknowledged by the process that had the directory before, and not read yet.
        self._done_before = set(self._cursor.beyond)
        self._ready: deque[tuple[CleanEvent, Position, int]] = deque()
        self._open: dict[Position, int] = {}
        self._beyond: set[Position] = set()
        self._descriptor: int | None = None
        # Where reading is, the events of all segments before that, and the number that the next event should have.
        self._number, self._offset = self._cursor.position
        self._passed, self._index, self._count = 0, 0, 0
        self._first_kept = 1
        self._is_at_end = False
        self._skip_to_cursor()

    @property
    def waiting(self) -> int:
        """How many events are neither taken nor gone."""
        left = 0 if self._is_exhausted else self.segments.appended - self._passed - self._index - len(self._done_before)
        return max(0, left) + len(self._ready)

    @property
    def taken(self) -> int:
        """How many events are taken and not acknowledged."""
        return len(self._open)

    @property
    def is_done(self) -> bool:
        """Whether all is acknowledged, and nothing is appended any more."""
        return self._is_exhausted and not self._open and not self._ready

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest event that is not acknowledged was stored, as far as that has been read."""
        times = [self._ready[0][2]] if self._ready else []
        return min((*self._open.values(), *times), default=None)

    def take(self, max_events: int, max_bytes: int) -> list[Taken]:
        """Return the oldest events for one request; at least one where any waits, no uuid twice."""
        taken = take_batch(self._ready, itemgetter(0), max_events, max_bytes, self._refill)
        self._open.update((position, stored_ms) for _, position, stored_ms in taken)
        return [(event, position) for event, position, _ in taken]

    def stored_ms(self, position: Position) -> int:
        """Return when an event that was taken was stored, in milliseconds since 1970."""
        return self._open[position]

    def done(self, positions: Iterable[Position]) -> None:
        """Acknowledge what was taken.

        Raises:
            OSError: The cursor cannot be written; repeats may come after a crash, nothing else.
        """
        for position in positions:
            if self._open.pop(position, None) is not None:
                self._beyond.add(position)
        self.settle()

    def settle(self) -> None:
        """Remove segments whose events are all acknowledged, and write down how far that goes.

        Raises:
            OSError: As `done`.
        """
        here = (self._number + 1, 0) if self._is_exhausted else (self._number, self._offset)
        oldest = min(self._open, default=here)
        if self._ready:
            oldest = min(oldest, self._ready[0][1])
        self._beyond = {position for position in self._beyond if position > oldest}
        if oldest[0] > self._number:
            self._close_segment()  # an open file takes its space also without a name
        for number in range(self._first_kept, oldest[0]):
            with suppress(ForeignError):
                remove_if(self._files, self.owned.path / name_of(number), is_segment)
            self.segments.removed(number)
            self._first_kept = number + 1
        self._cursor.save(oldest, self._beyond | {position for position in self._done_before if position > oldest})

    def allocate(self) -> None:
        """Have on disk what acknowledging takes, so that a full disk can still acknowledge.

        Raises:
            OSError: As of the file system.
        """
        self._cursor.allocate()

    def read_ahead(self) -> None:
        """Read on where nothing is ready: drops what is too old, and finds out whether this is the end.

        Raises:
            OSError: As of the file system.
        """
        if not self._ready:
            self._fill()

    def release(self) -> None:
        """Let another process have what is left.

        Raises:
            OSError: As `done`; another process can have it all the same.
        """
        try:
            self.settle()
        finally:
            self.forget()

    def remove(self) -> None:
        """Remove the directory with all that is in it.

        Raises:
            OSError: As of the file system; another process can have what is left.
        """
        self.close()
        self.owned.remove()

    def forget(self) -> None:
        """Close everything as it is."""
        self.close()
        self.owned.release()

    def close(self) -> None:
        """Close the files of the directory, and leave its lock as it is."""
        self._close_segment()
        self._cursor.close()

    def _skip_to_cursor(self) -> None:
        """Begin with the first segment that is there and not acknowledged."""
        number, offset = self._number, self._offset
        first = self.segments.following(max(0, number - 1)) or number
        if first != number:
            self._offset = 0
        self._number = first
        self._first_kept = self.segments.following(0) or max(1, first)
        before = self.segments.following(0)
        while before is not None and before < first:
            self._passed += self.segments.count_of(before)
            before = self.segments.following(before)
        if offset and first == number:
            self._index = self._index_at(offset)

    def _index_at(self, offset: int) -> int:
        """Return the number of the first event at or after `offset` in the segment where reading begins."""
        try:
            descriptor = self._files.open(self.owned.path / name_of(self._number))
        except OSError:
            return 0
        try:
            limit = self._files.size(descriptor)
            records = next_records(self._files, descriptor, offset, limit, most=1).records if offset < limit else []
        finally:
            self._files.close(descriptor)
        return records[0].number if records else self.segments.count_of(self._number)

    @property
    def _is_exhausted(self) -> bool:
        """Whether all was read, and nothing is appended any more."""
        return self._is_at_end and not self.segments.head.is_open and self.segments.following(self._number) is None

    def _fill(self) -> bool:
        """Read on until something is ready; return False at the end."""
        while not self._ready:
            if self.segments.fresh and self._take_fresh():
                continue
            # Looked at first: whatever is appended after this look makes the segment only longer.
            head = self.segments.head
            is_open = head.is_open and head.number == self._number
            descriptor = self._descriptor if self._descriptor is not None else self._open_segment()
            limit = 0
            if descriptor is not None:
                limit = head.committed if is_open else self._files.size(descriptor)
            if descriptor is not None and self._offset < limit:
                self._read(descriptor, limit)
            elif is_open and descriptor is not None:
                self._note_missing(head.events)
                return False
            elif not self._go_on():
                return False
        return True

    def _take_fresh(self) -> bool:
        """Make ready what this process has appended next and still has in memory; return whether there was any."""
        fresh, found = self.segments.fresh, False
        with suppress(IndexError):  # the writer forgets them where there are too many
            while fresh[0][:2] <= (self._number, self._index):
                appended = fresh.popleft()
                if appended[:2] == (self._number, self._index):
                    self._admit_all(appended)
                    found = True
        return found

    def _admit_all(self, appended: Fresh) -> None:
        if appended.stored_ms < self._oldest_ms():
            self._lost(EXPIRED, len(appended.events))
        else:
            starts = chain((0,), appended.ends)
            self._ready.extend(
                (event, (appended.number, appended.start + start), appended.stored_ms)
                for event, start in zip(appended.events, starts)  # noqa: B905 - the last end starts none
            )
        self._index += len(appended.events)
        self._offset = appended.start + appended.ends[len(appended.events) - 1]

    def _refill(self, has_some: bool) -> bool:
        """Read on; where the disk fails, what is ready goes first, and the error shows with the next batch."""
        try:
            return self._fill()
        except OSError:
            if not has_some:
                raise
            return False

    def _open_segment(self) -> int | None:
        """Open the segment where reading is; None where it is not there (any more)."""
        try:
            self._descriptor = self._files.open(self.owned.path / name_of(self._number))
        except FileNotFoundError:
            return None
        self._offset = max(self._offset, HEADER_BYTES)
        return self._descriptor

    def _go_on(self) -> bool:
        """Go to the next segment; return False where there is none."""
        if not self._is_at_end:
            # Noted while it is there: at the end of all, the segment is removed before there is another.
            self._count = self.segments.count_of(self._number)
            self._note_missing(self._count)
        following = self.segments.following(self._number)
        self._is_at_end = following is None
        if following is None:
            return False
        self._passed += self._count
        self._close_segment()
        self._number, self._offset, self._index = following, 0, 0
        return True

    def _note_missing(self, count: int) -> None:
        """Count what should have been in the segment up to its event `count` and was not."""
        if count > self._index:
            self._lost(DAMAGED, count - self._index)
            self._index = count

    def _read(self, descriptor: int, limit: int) -> None:
        """Make ready what the next window has."""
        base, oldest_ms, old = self._offset, self._oldest_ms(), 0
        found = next_records(self._files, descriptor, base, limit)
        for record in found.records:
            old += self._admit(record, base, oldest_ms)
        if old:
            self._lost(EXPIRED, old)
        if found.is_cut:
            self._lost(CUT, 0)
        self._offset = min(limit, base + found.end)

    def _admit(self, record: Record, base: int, oldest_ms: int) -> int:
        """Make `record` ready; return 1 where it is too old."""
        if record.number > self._index:
            self._lost(DAMAGED, record.number - self._index)
        self._index = max(self._index, record.number + 1)
        position = (self._number, base + record.start)
        if position in self._done_before:
            self._done_before.discard(position)
            self._beyond.add(position)
            return 0
        if record.stored_ms < oldest_ms:
            return 1
        self._ready.append((record.event, position, record.stored_ms))
        return 0

    def _close_segment(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._files.close(descriptor)
