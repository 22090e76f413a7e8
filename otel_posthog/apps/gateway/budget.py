"""How much memory requests may take, over both protocols together, and how much of it one sender."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from types import TracebackType

from typing_extensions import Self

from otel_posthog.apps.gateway.refusal import Refusal

_LOOK_AGAIN_S = 0.01


class Budget:
    """A number of bytes: of bodies as they arrive, of what they inflate to, of what is read from them.

    Args:
        max_bytes: The bound, over all requests; half of it for one sender.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left, self._of_one = max_bytes, max(1, max_bytes // 2)
        self._held: Counter[str] = Counter()
        # The event loop receives while the worker's thread inflates.
        self._lock = threading.Lock()

    def take(self, sender: str, size_bytes: int) -> bool:
        """Take `size_bytes` out for `sender`; return False where they are not there."""
        with self._lock:
            if size_bytes > self._left or self._held[sender] + size_bytes > self._of_one:
                return False
            self._left -= size_bytes
            self._held[sender] += size_bytes
            return True

    def give_back(self, sender: str, size_bytes: int) -> None:
        """Put `size_bytes` back."""
        with self._lock:
            self._left += size_bytes
            self._held[sender] -= size_bytes
            if not self._held[sender]:
                del self._held[sender]


class Share:
    """What one request has of a budget; given back at the end of the block.

    Args:
        budget: What it is taken out of.
        sender: Who is to have the rest of it, as any text.
    """

    def __init__(self, budget: Budget, sender: str) -> None:
        self._budget, self.sender, self._size_bytes = budget, sender, 0
        self._is_over, self._lock = False, threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_over = True
            self._budget.give_back(self.sender, self._size_bytes)

    def take(self, size_bytes: int) -> None:
        """Take `size_bytes` more.

        Raises:
            Refusal: There are not so many left; later there are.
        """
        # The worker's thread may not know yet that the sender has gone away.
        with self._lock:
            if self._is_over or not self._budget.take(self.sender, size_bytes):
                raise Refusal(503, "too many requests are being received at once", retry_after_s=1)
            self._size_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Put `size_bytes` back before the end of the block."""
        with self._lock:
            self._size_bytes -= size_bytes
            self._budget.give_back(self.sender, size_bytes)

    async def take_in_time(self, size_bytes: int, timeout_s: float) -> None:
        """Take `size_bytes` more as soon as they are there.

        Raises:
            Refusal: They were not, in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self.take(size_bytes)
            except Refusal:
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(_LOOK_AGAIN_S)
