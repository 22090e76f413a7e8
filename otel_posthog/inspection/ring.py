"""The last items of a process, in its memory alone: bounded by their number and by their estimated size.

Items that hold no event are many in a busy app, and events are what one looks for: where both do not find room, half of
it is for events. One thread uses it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from otel_posthog.inspection.sdk_items import SdkItem
from otel_posthog.stages import Outcome

MAX_ITEMS, MAX_BYTES = 1000, 32 * 1024 * 1024


@dataclass(slots=True)
class Entry:
    """One item.

    Attributes:
        seq: Its number in this process, from 1.
        time_ns: When it was, or was seen; Unix nanoseconds.
        outcomes: What became of each of its signals.
        item: The SDK's span or log record; None where none was seen.
        size_bytes: About what it holds.
        line: What viewers are sent, once one was.
        expected: How many signals the item is; None while that is not known.
    """

    seq: int
    time_ns: int
    outcomes: list[list[Outcome]] = field(default_factory=list)
    item: SdkItem | None = None
    size_bytes: int = 0
    line: bytes | None = None
    expected: int | None = None


class Ring:
    """The items.

    Args:
        max_items: How many.
        max_bytes: Of what size together.
    """

    def __init__(self, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES) -> None:
        self._max_items, self._max_bytes = max_items, max_bytes
        self._events: deque[Entry] = deque()
        self._others: deque[Entry] = deque()
        self.size_bytes, self.last_seq = 0, 0

    def __len__(self) -> int:
        return len(self._events) + len(self._others)

    def add(self, entry: Entry) -> None:
        """Keep an entry, which gets its number here; what is too large for the ring by itself is passed over."""
        self.last_seq += 1
        entry.seq = self.last_seq
        if entry.size_bytes > self._max_bytes:
            return
        (self._events if entry.outcomes else self._others).append(entry)
        self.size_bytes += entry.size_bytes
        self._trim()

    def pass_over(self, count: int) -> None:
        """Note that there were items that are not kept."""
        self.last_seq += count

    def grow(self, entry: Entry, size_bytes: int) -> None:
        """Note that an entry holds more than it did."""
        entry.size_bytes += size_bytes
        self.size_bytes += size_bytes
        self._trim()

    def after(self, seq: int) -> Entry | None:
        """Return the first entry that is kept and comes after `seq`."""
        found = [each for each in (_after(self._events, seq), _after(self._others, seq)) if each is not None]
        return min(found, key=lambda each: each.seq, default=None)

    def entry(self, seq: int) -> Entry | None:
        """Return an entry, if it is still kept."""
        found = self.after(seq - 1)
        return found if found is not None and found.seq == seq else None

    def entries(self) -> list[Entry]:
        """Return all, oldest first."""
        return sorted((*self._events, *self._others), key=lambda each: each.seq)

    def _trim(self) -> None:
        while len(self) > self._max_items or self.size_bytes > self._max_bytes:
            events, others = self._events, self._others
            is_event = bool(events) and (not others or events[0].seq < others[0].seq)
            gone = (events if is_event and len(others) <= len(events) else others).popleft()
            self.size_bytes -= gone.size_bytes


def _after(entries: deque[Entry], seq: int) -> Entry | None:
    """Return the first entry after `seq`: looked for from the new end, near which a viewer is."""
    found = None
    for each in reversed(entries):
        if each.seq <= seq:
            break
        found = each
    return found
