"""The connections of OTLP/HTTP: how many there may be, and how long one may wait for a request.

uvicorn has no time limit for headers, and counts connections that have sent nothing among those that it allows, so that
some hundred of them closed a server for everybody.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

# Beyond those that requests may be on: for health, and for an answer that says to come again.
_SPARE = 32


class Connection(H11Protocol):
    """A connection that is closed where no request comes on it in time, or where it waits and others need its place.

    What it may do is set on the class, since it is the server that makes them.
    """

    max_connections: ClassVar[int] = 512
    header_timeout_s: ClassVar[float] = 5.0
    health_port: ClassVar[int | None] = None
    _waiting: ClassVar[dict[Connection, None]] = {}
    """Those without a request, the one that waits longest first."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, that of the one that waits longest where there is none left."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections + _SPARE and not self._is_for_health:
            longest = next(iter(self._waiting), self)
            longest.give_up()
            if longest is self:
                return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the place."""
        self._forget()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Handle what has arrived; from a request's headers to its answer nothing is waited for here."""
        super().handle_events()
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._forget()

    def on_response_complete(self) -> None:
        """Wait for the next request; for the rest of an unread one as long and no longer."""
        self._wait()
        super().on_response_complete()

    def give_up(self) -> None:
        """Close it, whatever was on its way."""
        self._forget()
        if not self.transport.is_closing():
            self.transport.abort()

    @property
    def _is_for_health(self) -> bool:
        return self.server is not None and self.server[1] == self.health_port

    def _wait(self) -> None:
        self._forget()
        if not self._is_for_health:
            self._waiting[self] = None
        self._timer = self.loop.call_later(self.header_timeout_s, self.give_up)

    def _forget(self) -> None:
        self._waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
