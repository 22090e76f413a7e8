"""Appends events to the segments of this process's directory, and syncs full ones. Any thread appends, one at a time.

A write that fails leaves the segment as it is, torn record and all, and the next event begins another: what was written
before is never touched again, so that nothing can go wrong with it.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from errno import ENOSPC
from itertools import accumulate
from pathlib import Path

from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.record import encode_record, is_whole
from otel_posthog.deliver.spool.segment import HEADER_BYTES, Fresh, Head, encode_header, name_of
from otel_posthog.model import CleanEvent
from otel_posthog.threads import RLock, start_daemon

MAX_SEGMENT_BYTES = 4 * 1024 * 1024
# Kept in memory until it is sent, beside the disk: a few batches. Where more waits, it is read when its turn comes.
MAX_FRESH_BYTES = 512 * 1024
# Segments that may wait; a disk that is further behind is waited for, or open files would have no bound.
MAX_UNSYNCED = 16


class Writer:
    """The segments of one directory, from the side that appends.

    Args:
        files: The file system.
        directory: Locked by this process.
        syncing: Syncs segments that are full.
        now_ms: Milliseconds since 1970.
        max_segment_bytes: From this size on the next event begins a new segment.

    Attributes:
        head: How far has been written.
        fresh: What was appended last, for the sending thread.
    """

    def __init__(
        self,
        files: Files,
        directory: Path,
        syncing: Syncing,
        now_ms: Callable[[], int],
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
    ) -> None:
        self._files, self._directory, self._syncing, self._now_ms = files, directory, syncing, now_ms
        self._max_segment_bytes = max_segment_bytes
        # Reentrant: a signal handler may capture an event while this thread is inside.
        self._lock = RLock()
        self._descriptor: int | None = None
        self._is_busy = False
        self._is_dirty = False
        self._is_closed = False
        self._ended: dict[int, tuple[int, int]] = {}
        self._ended_bytes = 0
        self.head = Head()
        self.fresh = deque[Fresh]()

    @property
    def size_bytes(self) -> int:
        """The size of the segments that are still there."""
        head = self.head
        return self._ended_bytes + (head.committed if head.is_open else 0)

    @property
    def appended(self) -> int:
        """How many events were ever appended."""
        head = self.head
        return head.before + head.events

    def append(self, event: CleanEvent) -> None:
        """Append `event`.

        Raises:
            OSError: It is not on disk.
            CannotNowError: A signal came in the middle of another append, or the directory is gone.
        """
        with self._lock:
            if self._is_busy or self._is_closed:
                raise CannotNowError
            self._is_busy = True
            try:
                self._append(event)
            except BaseException:
                # How much was written is not known, also where Ctrl-C came between.
                self._leave_segment()
                raise
            finally:
                self._is_busy = False

    def append_all(self, events: Sequence[CleanEvent]) -> int:
        """Append `events` with one write, which a thread that competes for the interpreter makes sooner than many.

        Returns:
            How many are on disk, the first ones: all, or as many as are whole where the disk took less. The segment is
            left then; the others are for `append`, which raises what is wrong.
        """
        with self._lock:
            descriptor = self._descriptor
            if self._is_busy or self._is_closed or descriptor is None:
                return 0
            self._is_busy = True
            try:
                return self._append_all(descriptor, events)
            except BaseException as error:
                self._leave_segment()
                if not isinstance(error, OSError):
                    raise
                return 0
            finally:
                self._is_busy = False

    def following(self, number: int) -> int | None:
        """Return the number of the segment after `number`, if there is one."""
        return number + 1 if number < self.head.number else None

    def count_of(self, number: int) -> int:
        """Return how many events segment `number` has."""
        ended, head = self._ended.get(number), self.head
        if ended is not None:
            return ended[1]
        return head.events if head.number == number else 0

    def removed(self, number: int) -> None:
        """Note that a segment is gone."""
        with self._lock:
            self._ended_bytes -= self._ended.pop(number, (0, 0))[0]

    def end_segment(self, *, is_needed: bool = True) -> None:
        """Have the next event begin a new segment; sync the present one if what is in it `is_needed`."""
        with self._lock:
            if not self._is_busy:
                self._leave_segment(is_needed=is_needed)

    def close(self) -> None:
        """Take no more events."""
        with self._lock:
            self._is_closed = True

    def sync(self) -> None:
        """Sync what was appended since the last time."""
        with self._lock:
            descriptor = self._descriptor if self._is_dirty and not self._is_busy else None
            self._is_dirty = False
        if descriptor is not None:
            self._syncing.now(descriptor, self._directory)

    def forget(self) -> None:
        """Close the segment, in the child of a fork, which may find the lock held for ever."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._files.close(descriptor)

    def _append(self, event: CleanEvent) -> None:
        descriptor = self._descriptor
        if descriptor is None:
            descriptor = self._begin()
        number, committed, events, before, _ = self.head
        now_ms = self._now_ms()
        record = encode_record(event, now_ms, events)
        written = self._files.append(descriptor, record)
        is_short = written != len(record)
        if is_short and not is_whole(record, written):
            # The rest goes through, or the error shows.
            self._write(descriptor, record[written:])
            written = len(record)
        self._is_dirty = True
        committed += written
        self.head = Head(number, committed, events + 1, before, is_open=True)
        self._keep(Fresh(number, events, committed - written, (written,), now_ms, (event,)), committed)
        if is_short or committed >= self._max_segment_bytes:
            self._leave_segment()

    def _append_all(self, descriptor: int, events: Sequence[CleanEvent]) -> int:
        number, committed, before_it, before, _ = self.head
        now_ms = self._now_ms()
        records = [encode_record(event, now_ms, before_it + place) for place, event in enumerate(events)]
        written = self._files.append(descriptor, b"".join(records))
        ends = list(accumulate(map(len, records)))
        whole = bisect_right(ends, written)
        if whole < len(records) and is_whole(records[whole], written - (ends[whole - 1] if whole else 0)):
            whole += 1
        self._is_dirty = True
        start, committed = committed, committed + (min(written, ends[whole - 1]) if whole else 0)
        self.head = Head(number, committed, before_it + whole, before, is_open=True)
        self._keep(Fresh(number, before_it, start, ends, now_ms, events[:whole]), committed)
        if written < ends[-1] or committed >= self._max_segment_bytes:
            self._leave_segment()
        return whole

    def _keep(self, appended: Fresh, committed: int) -> None:
        """Have the sending thread send what is on disk now without reading it."""
        fresh = self.fresh
        if fresh and (fresh[0].number != appended.number or committed - fresh[0].start > MAX_FRESH_BYTES):
            fresh.clear()
        if appended.events and committed - appended.start <= MAX_FRESH_BYTES:
            fresh.append(appended)

    def _begin(self) -> int:
        number = self.head.number + 1
        path = self._directory / name_of(number)
        descriptor = self._files.create(path)
        try:
            self._write(descriptor, encode_header(os.getpid(), self._now_ms()))
        except OSError:
            # Nothing is in it: a disk that stays full must not fill with empty segments.
            self._files.close(descriptor)
            self._files.remove(path)
            raise
        self._descriptor = descriptor
        self.head = Head(number, HEADER_BYTES, 0, self.appended, is_open=True)
        return descriptor

    def _write(self, descriptor: int, data: bytes) -> None:
        if self._files.append(descriptor, data) != len(data):
            raise OSError(ENOSPC, os.strerror(ENOSPC))

    def _leave_segment(self, *, is_needed: bool = True) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        head = self.head
        self._ended[head.number] = (head.committed, head.events)
        self._ended_bytes += head.committed
        self.head = Head(head.number, head.committed, head.events, head.before)
        self._is_dirty = False
        if is_needed:
            self._syncing.add(descriptor, self._directory)
        else:
            self._files.close(descriptor)


class Syncing:
    """Full segments, which are synced and closed in the background: an append never waits for a disk to flush.

    A thread lives for as long as there is something to sync, and no longer. Where none can be started (an interpreter
    that is shutting down), `add` syncs it.

    Args:
        files: The file system.
        failed: Called with an error; it must not raise.
    """

    def __init__(self, files: Files, failed: Callable[[OSError], None]) -> None:
        self._files, self._failed = files, failed
        self._lock = RLock()
        self._waiting: deque[tuple[int, Path]] = deque()
        self._is_running = False

    def add(self, descriptor: int, directory: Path) -> None:
        """Sync the segment, then the directory that it was created in, then close it."""
        with self._lock:
            is_behind = len(self._waiting) >= MAX_UNSYNCED
            if not is_behind:
                self._waiting.append((descriptor, directory))
                if self._is_running:
                    return
                self._is_running = True
        if is_behind:
            self.now(descriptor, directory)
            self._files.close(descriptor)
            return
        if start_daemon("otel-posthog-sync", self._run) is None:
            self._run()

    def now(self, descriptor: int, directory: Path) -> None:
        """Sync a segment that stays open, here."""
        try:
            self._files.sync(descriptor)
            self._files.sync_directory(directory)
        except FileNotFoundError:
            pass  # all of it was delivered meanwhile
        except OSError as error:
            self._failed(error)

    def forget(self) -> None:
        """Close what waits, in the child of a fork; the parent syncs it."""
        while self._waiting:
            self._files.close(self._waiting.popleft()[0])

    def _run(self) -> None:
        while self._next():
            pass

    def _next(self) -> bool:
        with self._lock:
            if not self._waiting:
                self._is_running = False
                return False
            descriptor, directory = self._waiting.popleft()
        self.now(descriptor, directory)
        self._files.close(descriptor)
        return True


class CannotNowError(Exception):
    """An append inside an append of the same thread, or to a directory that was removed."""
