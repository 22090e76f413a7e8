"""A batch: the events of one request, how they are taken off a queue, and how many bytes a request may have.

Comes in: a queue of what waits, the oldest first. Goes out: events of which no two have the same uuid, as Capture V1
refuses such a batch whole. A batch that is refused gets smaller until the one bad event in it is alone. Runs on the
sending thread.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from otel_posthog.model import CleanEvent

# Requests that are taken before the server is asked whether it takes larger ones by now.
ACCEPTED_BEFORE_GROWTH = 200

_Item = TypeVar("_Item")


@dataclass(slots=True)
class Batch:
    """Events of one request.

    Attributes:
        events: In order.
        created_at: RFC 3339, UTC.
        request_id: A UUID; the same for every attempt, also once a part of the events is settled.
        attempts: How many were made.
    """

    events: list[CleanEvent]
    created_at: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0

    @property
    def size_bytes(self) -> int:
        """The size of the events, before compression."""
        return sum(len(event.body) for event in self.events)

    def only(self, events: list[CleanEvent]) -> Batch:
        """Return the same request with those of its events that are to be sent again."""
        return Batch(events, self.created_at, self.request_id, self.attempts)

    def halves(self) -> tuple[Batch, Batch]:
        """Return two requests of their own, so that one bad event ends up alone and its neighbours arrive."""
        middle = len(self.events) // 2
        first, second = self.events[:middle], self.events[middle:]
        return Batch(first, self.created_at), Batch(second, self.created_at)


class BatchSize:
    """How many bytes of events a request may have: half of what was too large, and slowly up again.

    A proxy with a limit below PostHog's own would otherwise refuse every batch once.

    Args:
        most_bytes: The policy's `max_batch_bytes`.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = self.max_bytes = most_bytes
        self._accepted = 0

    def refused(self, size_bytes: int, *, is_too_large: bool) -> None:
        """Note that a request with `size_bytes` of events was refused."""
        if is_too_large:
            self._accepted = 0
            self.max_bytes = min(self.max_bytes, max(1, size_bytes // 2))

    def accepted(self) -> None:
        """Note that a request was taken."""
        self._accepted += 1
        if self._accepted >= ACCEPTED_BEFORE_GROWTH:
            self._accepted = 0
            self.max_bytes = min(self._most_bytes, self.max_bytes * 2)


def take_batch(
    queue: deque[_Item],
    event_of: Callable[[_Item], CleanEvent],
    max_events: int,
    max_bytes: int,
    refill: Callable[[bool], bool] = lambda _: False,
) -> list[_Item]:
    """Take the oldest items for one request off `queue`: at least one where any waits, no uuid twice.

    Args:
        queue: The oldest first; a repeat of a uuid stays in it, at its head, for the next request.
        event_of: Returns the event of an item.
        max_events: The most items.
        max_bytes: The most bytes of events.
        refill: Called where the queue is empty, with whether anything was taken; returns whether it put in more.
    """
    taken: list[_Item] = []
    repeats: list[_Item] = []
    popped: list[_Item] = []
    uuids: set[str] = set()
    size = 0
    # The look for another uuid is bounded: an app that gives every event the same one must not cost the time of a walk
    # through the whole queue for each.
    try:
        while len(taken) < max_events and len(repeats) <= max_events and (queue or refill(bool(taken))):
            event = event_of(queue[0])
            if taken and size + len(event.body) > max_bytes:
                break
            popped.append(item := queue.popleft())
            if event.uuid in uuids:
                repeats.append(item)
                continue
            uuids.add(event.uuid)
            taken.append(item)
            size += len(event.body)
    except BaseException:
        # Also where a signal handler raises, as of Ctrl-C: what was not returned still waits.
        queue.extendleft(reversed(popped))
        raise
    queue.extendleft(reversed(repeats))
    return taken
