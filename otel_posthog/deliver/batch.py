"""A batch under way: what stays the same over its attempts, and how it gets smaller."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from otel_posthog.model import CleanEvent


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
