"""Who looks on, each over a connection that never waits: what one is too slow for is passed over, and counted.

A line of JSON is a message, both ways. A viewer's place is its own: the ring is read as fast as it takes, so that of a
dead one a few hundred kilobytes are held, for half a minute.
"""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from otel_posthog.inspection.ring import Entry, Ring

_MAX_OUT_BYTES, _MAX_ASKED_BYTES = 256 * 1024, 64 * 1024
_READ_BYTES = 65_536
_DEAD_S = 30.0
_PART_S = 0.5


class Viewer:
    """One connection.

    Args:
        connection: It does not block.
        hello: The first message.
    """

    def __init__(self, connection: socket.socket, hello: bytes) -> None:
        self._connection = connection
        self._out: deque[bytes] = deque([hello])
        self._out_bytes, self._asked = len(hello), b""
        self._is_begun = False
        self._cursor, self._moved_at = 0, time.monotonic()
        self.skipped = 0

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def tell(self, message: bytes) -> None:
        """Send a message, unless there is no room for it: the next one says the same."""
        if self._out_bytes < _MAX_OUT_BYTES:
            self._put(message)

    def part(self, message: bytes) -> None:
        """Send a last message in place of what waits, and end the connection; it waits a little for a slow one."""
        waiting = [self._out[0]] if self._is_begun else []
        with suppress(OSError):
            self._connection.settimeout(_PART_S)
            self._connection.sendall(b"".join((*waiting, message)))
        self.close()

    def questions(self) -> Iterator[dict[str, Any]]:
        """Yield what it asks.

        Raises:
            ConnectionError: It is gone, or says what is no question.
        """
        try:
            read = self._connection.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        if not read:
            raise ConnectionError
        self._asked += read
        *lines, self._asked = self._asked.split(b"\n")
        if len(self._asked) > _MAX_ASKED_BYTES:
            raise ConnectionError
        for line in lines:
            try:
                asked = json.loads(line)
            except (ValueError, RecursionError):
                raise ConnectionError from None
            if not isinstance(asked, dict):
                raise ConnectionError
            yield asked

    def show(self, ring: Ring, line_of: Callable[[Entry], bytes], work_s: float) -> None:
        """Send what is new in the ring, as much as it takes now.

        Args:
            ring: The items.
            line_of: Returns what is sent of one.
            work_s: Of this thread's CPU time; the rest is sent another time.

        Raises:
            OSError: It is gone.
        """
        until = time.thread_time() + work_s
        while self._out_bytes < _MAX_OUT_BYTES and self._cursor < ring.last_seq and time.thread_time() < until:
            entry = ring.after(self._cursor)
            seq = ring.last_seq if entry is None else entry.seq
            self.skipped += seq - self._cursor - (entry is not None)
            self._cursor = seq
            if entry is not None:
                self._put(line_of(entry))
        self._send()

    def _put(self, message: bytes) -> None:
        self._out.append(message)
        self._out_bytes += len(message)

    def _send(self) -> None:
        try:
            while self._out:
                sent = self._connection.send(self._out[0])
                self._moved_at = time.monotonic()
                self._out_bytes -= sent
                self._is_begun = sent < len(self._out[0])
                if sent < len(self._out[0]):
                    self._out[0] = self._out[0][sent:]
                    return
                self._out.popleft()
        except (BlockingIOError, InterruptedError):
            if time.monotonic() - self._moved_at > _DEAD_S:
                raise ConnectionError from None
