"""Where clean events wait until PostHog has them.

Comes in: `CleanEvent`s. Goes out: batches, which stay owned by the store until they are acknowledged, dead letters or
discarded. Any thread puts, reads the sizes and discards; everything else is called by the sending thread: the sender's
own, or a caller of `flush` in its place, one at a time. No method raises for what a disk does. The store here lives in
memory, bounded by bytes; `deliver/spool/` has the durable one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from otel_posthog.deliver.batch import take_batch
from otel_posthog.model import CleanEvent
from otel_posthog.threads import RLock

# What Python keeps of an event besides its body: the object, two short strings, the place in the queue.
OVERHEAD_BYTES = 300
# How often a process that forks looks for what its children left: jobs of a queue end by the second.
CHILDREN_S = 5.0


class Store(Protocol):
    """What a sender needs of a place where events wait."""

    @property
    def size_bytes(self) -> int:
        """The size of what waits and of what is taken but not acknowledged. Any thread."""

    @property
    def volatile(self) -> int:
        """How many events, waiting or taken, would be lost with this process: none of those on disk. Any thread."""

    @property
    def room_bytes(self) -> int:
        """How many bytes of further events there is room for. Any thread."""

    @property
    def is_durable(self) -> bool:
        """Whether other processes find on a disk what this one leaves. Any thread."""

    def __len__(self) -> int:
        """How many events wait, adopted ones too; those taken do not count. Any thread; 0 means nothing to take."""

    def put(self, event: CleanEvent) -> bool:
        """Keep `event`, on disk where there is one; return False where there is no room. Any thread."""

    def put_all(self, events: Sequence[CleanEvent]) -> int:
        """Keep `events`, in one go where there is a disk; return how many found room: the first ones. Any thread."""

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Return the oldest events for one request, no uuid twice among them. The sending thread.

        The same objects, in any order and any number at a time, go back into `acknowledge` or
        `dead_letter`. What is taken and given back to neither is delivered by the next process, where the store is
        durable.
        """

    def acknowledge(self, events: Sequence[CleanEvent]) -> None:
        """Forget events that were taken: they are delivered, or dropped for good. The sending thread."""

    def dead_letter(self, events: Sequence[CleanEvent], reason: str) -> None:
        """Acknowledge events that PostHog refuses for good, and keep them as dead letters. The sending thread.

        Args:
            events: Taken before; the caller has counted them as dropped.
            reason: The fixed identifier that they are counted under.
        """

    def adopted(self, events: Sequence[CleanEvent]) -> int:
        """Return how many of `events`, taken before, were not put by this process: a flush does not wait for those."""

    def discard(self, reason: str) -> int:
        """Forget all that waits or is taken, here and left by ended processes, dead letters too. Any thread.

        Args:
            reason: Why, a fixed identifier (`opted_out`); for the log line.

        Returns:
            How many events: the caller counts them as dropped. Acknowledging one of them later changes nothing.
        """

    def maintain(self) -> None:
        """Adopt what ended processes left, drop what is too old, sync.

        The sending thread calls it at its start and every 30 s. It looks at the clock itself: called more often, it
        returns at once.
        """

    def look_after_children(self) -> None:
        """Have `maintain` look for what ended processes left every `CHILDREN_S`: this one has forked. Any thread."""

    def log(self) -> None:
        """Log the lines that came up; the caller holds no lock, which a handler of the log may wait for."""

    def close(self) -> None:
        """Let go of files and locks, so that another process can adopt what is left. Last call; idempotent."""

    def reset_after_fork(self) -> None:
        """Keep nothing: what was here, the parent delivers. Called in the fork hook: opens and starts nothing."""


class MemoryStore:
    """Events in memory, bounded by bytes.

    Args:
        max_bytes: The bound.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Keep nothing: what was here, the parent delivers."""
        # Reentrant: a signal handler may capture an event while this thread is inside.
        self._lock = RLock()
        self._events: deque[CleanEvent] = deque()
        # By identity: the sender gives back the objects that it took, and one uuid may stand for several events.
        self._taken: dict[int, CleanEvent] = {}
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """The size of what waits and of what is taken but not acknowledged."""
        return self._size_bytes

    @property
    def volatile(self) -> int:
        """How many events wait or are taken: all of them end with the process."""
        return len(self._events) + len(self._taken)

    @property
    def room_bytes(self) -> int:
        """How many bytes of further events there is room for."""
        return self._max_bytes - self._size_bytes

    @property
    def is_durable(self) -> bool:
        """Memory ends with its process."""
        return False

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: CleanEvent) -> bool:
        """Keep `event`; return False where there is no room."""
        size = _size(event)
        with self._lock:
            if self._size_bytes + size > self._max_bytes:
                return False
            self._size_bytes += size
            self._events.append(event)
        return True

    def put_all(self, events: Sequence[CleanEvent]) -> int:
        """Keep `events`; return how many found room."""
        for number, event in enumerate(events):
            if not self.put(event):
                return number
        return len(events)

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Return the oldest events for one request; at least one where any waits, no uuid twice."""
        with self._lock:
            taken = take_batch(self._events, _itself, max_events, max_bytes)
            self._taken.update((id(event), event) for event in taken)
        return taken

    def acknowledge(self, events: Sequence[CleanEvent]) -> None:
        """Forget events that were taken; those that were discarded meanwhile are forgotten already."""
        with self._lock:
            for event in events:
                if self._taken.pop(id(event), None) is not None:
                    self._size_bytes -= _size(event)

    def dead_letter(self, events: Sequence[CleanEvent], reason: str) -> None:  # noqa: ARG002 - there is no place for them
        """Forget events that were taken: memory keeps no dead letters."""
        self.acknowledge(events)

    def adopted(self, events: Sequence[CleanEvent]) -> int:  # noqa: ARG002 - no other process left any
        """Return 0: memory ends with its process."""
        return 0

    def discard(self, reason: str) -> int:  # noqa: ARG002 - nothing is logged of memory
        """Forget everything and return how many events that were."""
        with self._lock:
            count = self.volatile
            self._events.clear()
            self._taken.clear()
            self._size_bytes = 0
        return count

    def maintain(self) -> None:
        """Do nothing."""

    def look_after_children(self) -> None:
        """Do nothing: no child leaves anything."""

    def log(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _size(event: CleanEvent) -> int:
    return len(event.body) + OVERHEAD_BYTES


def _itself(event: CleanEvent) -> CleanEvent:
    return event
