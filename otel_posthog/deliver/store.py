"""Where clean events wait until PostHog has them.

Comes in: `CleanEvent`s. Goes out: batches, which stay owned by the store until they are acknowledged. The sender's
thread takes and acknowledges, any thread puts. This one lives in memory, bounded by bytes; a durable one has the same
five methods.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from otel_posthog.model import CleanEvent

# What Python keeps of an event besides its body: the object, two short strings, the place in the queue.
OVERHEAD_BYTES = 300


class Store(Protocol):
    """What a sender needs of a place where events wait."""

    @property
    def size_bytes(self) -> int:
        """The size of what waits and of what is taken but not acknowledged."""

    def __len__(self) -> int:
        """How many events wait; those taken do not count."""

    def put(self, event: CleanEvent) -> bool:
        """Keep `event`; return False where there is no room."""

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Return the oldest events for one request, no uuid twice among them."""

    def acknowledge(self, events: Sequence[CleanEvent]) -> None:
        """Forget events that were taken: they are delivered, or finally dropped."""

    def reset_after_fork(self) -> None:
        """Keep nothing: what was here, the parent delivers."""


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
        self._lock = threading.RLock()
        self._events: deque[CleanEvent] = deque()
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """The size of what waits and of what is taken but not acknowledged."""
        return self._size_bytes

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

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Return the oldest events for one request; at least one where any waits, no uuid twice."""
        taken: list[CleanEvent] = []
        repeats: list[CleanEvent] = []
        uuids: set[str] = set()
        size = 0
        with self._lock:
            # The look for another uuid is bounded: an app that gives every event the same one must not cost the time
            # of a walk through the whole buffer for each.
            while self._events and len(taken) < max_events and len(repeats) <= max_events:
                event = self._events[0]
                if taken and size + len(event.body) > max_bytes:
                    break
                self._events.popleft()
                if event.uuid in uuids:
                    # Capture V1 refuses a batch whole in which a uuid stands twice; the repeat goes with the next.
                    repeats.append(event)
                    continue
                uuids.add(event.uuid)
                taken.append(event)
                size += len(event.body)
            self._events.extendleft(reversed(repeats))
        return taken

    def acknowledge(self, events: Sequence[CleanEvent]) -> None:
        """Forget events that were taken."""
        with self._lock:
            self._size_bytes -= sum(map(_size, events))


def _size(event: CleanEvent) -> int:
    return len(event.body) + OVERHEAD_BYTES
