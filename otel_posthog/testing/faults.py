"""What a test can make the fake PostHog do wrong."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    Attributes:
        status: Answer with this status instead of handling the request.
        body: Of that answer.
        content_type: Of that answer.
        retry_after: The `Retry-After` header of that answer, or of the one that it would be.
        delay_s: Wait before handling the request.
        hang_s: Read the request and answer nothing for so long, or until the server stops.
        lose_answer: Accept the events, then close the connection without an answer.
        drop_connection: Close the connection before the request is handled.
        results: Capture V1 results (`retry`, `drop`, `warning`) by event name or uuid.
        times: For how many requests; None until `clear_faults()`.
    """

    status: int | None = None
    body: bytes = b'{"error": "as the test asked"}'
    content_type: str = "application/json"
    retry_after: str | None = None
    delay_s: float = 0.0
    hang_s: float = 0.0
    lose_answer: bool = False
    drop_connection: bool = False
    results: Mapping[str, str] = field(default_factory=dict)
    times: int | None = 1


class FaultQueue:
    """The faults to come, in order; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue `fault`."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def take(self) -> Fault:
        """Return the fault of the next request; one without effect where none is queued."""
        with self._lock:
            if not self._faults:
                return Fault()
            fault = self._faults[0]
            if fault.times is not None:
                self._faults[:1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
            return fault
