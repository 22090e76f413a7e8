"""What the traffic did so far: the demo's own count of what must come out, kept apart from any telemetry."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from otel_posthog.apps.demo.planted import Planted


@dataclass(frozen=True, slots=True)
class TypedTicket:
    """What a customer typed into the form of one ticket.

    Attributes:
        ticket_id: The ticket's number, which finds its event and its lines in the log.
        comment: The text.
        email: The customer's address, which the app adds to the event by itself.
    """

    ticket_id: int
    comment: str
    email: str


@dataclass(slots=True)
class Tally:
    """Counts of what was done; every visitor adds to the same one.

    Attributes:
        requests: Requests that were answered.
        events: Product events that the answered requests must yield, by name.
        planted: Personal values that those requests carried.
        surprises: Answers other than those the script expects, in words.
        ticket: The first ticket, as it was typed.
    """

    requests: int = 0
    events: Counter[str] = field(default_factory=Counter)
    planted: set[Planted] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    ticket: TypedTicket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, event: str | None, planted: tuple[Planted, ...]) -> None:
        """Note one request, the event it must yield, and the values that went with it."""
        with self._lock:
            self.requests += 1
            self.planted.update(planted)
            if event:
                self.events[event] += 1

    def surprise(self, what: str) -> None:
        """Note a request that was not answered as expected."""
        with self._lock:
            self.requests += 1
            self.surprises.append(what)

    def keep(self, ticket: TypedTicket) -> None:
        """Keep `ticket` as the sample to show, if it is the first."""
        with self._lock:
            self.ticket = self.ticket or ticket

    @property
    def expected_events(self) -> int:
        """How many product events must arrive."""
        return self.events.total()
