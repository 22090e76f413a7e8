"""The waits of a sender: for events, between attempts, for a flush, for the end; and what is outstanding meanwhile.

Any thread says that events were accepted, or waits until they are settled. The sending thread waits for work and out
its backoff, which a flush cuts short and a shutdown ends. Nothing here sends, or touches a store but to ask its length.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING

from otel_posthog.threads import Condition, RLock

if TYPE_CHECKING:
    from otel_posthog.deliver.store import Store
    from otel_posthog.policy import DeliveryPolicy

# An idle thread wakes this often, for the line a minute that reports losses.
IDLE_S = 30.0
# A process that leaves does not hold its exit up for a server that fails more often, where the events are on disk.
LEAVING_FAILURES = 1
# How often an exit looks whether what was in memory is on disk by now.
SAFE_S = 0.2
# Below this, a request is not worth starting before the deadline.
MIN_REQUEST_S = 0.05


class Waiting:
    """The conditions that a sender and its callers wait for.

    Attributes:
        lock: Held while an event is put and counted, so that the order of the counts is the order of the store.
        is_closed: Whether the sender takes no more events.
        idle_s: How often an idle thread wakes.
        epoch: Changes when all that is outstanding is discarded; a batch of an earlier one does not count any more.

    Args:
        is_safe: Whether nothing would be lost if the process ended now.
        exit_try_s: How long an exit waits without progress where nothing would be lost.
    """

    def __init__(self, is_safe: Callable[[], bool] = lambda: False, exit_try_s: float = inf) -> None:
        # Reentrant: a signal handler may capture an event while its own thread is inside.
        self.lock = RLock()
        self._changed = Condition(self.lock)
        self._accepted = 0
        self._settled = 0
        self._is_idle = False
        self._flushing = 0
        self._leaving = 0
        self._failures = 0
        self._is_backing_off = False
        self._cut_backoff = False
        self._is_safe, self._exit_try_s = is_safe, exit_try_s
        # Of the exit: several callers have one patience together.
        self._tried_since: float | None = None
        self._closes_at: float | None = None
        self._caller_leaves_at: float | None = None
        self._has_ended = False
        self.is_closed = False
        self.epoch = 0
        self.idle_s = IDLE_S

    @property
    def outstanding(self) -> int:
        """How many events that were accepted are neither delivered nor dropped."""
        return self._accepted - self._settled

    def accepted(self, count: int) -> None:
        """Note `count` more events in the store; the caller holds `lock` since before they were put."""
        self._accepted += count
        # Only where it sleeps: otherwise the thread is collecting a batch already.
        if self._is_idle:
            self._is_idle = False
            self._changed.notify_all()

    def settled(self, count: int, epoch: int) -> None:
        """Note that the oldest `count` events that were outstanding in `epoch` are delivered or dropped."""
        with self.lock:
            if epoch == self.epoch:
                self._settled += count
            if self._tried_since is not None:
                self._tried_since = time.monotonic()
            if self._flushing:
                self._changed.notify_all()

    def discarded(self) -> None:
        """Note that nothing is outstanding any more; the caller holds `lock` since before the store forgot it."""
        self.epoch += 1
        self._settled = self._accepted
        self._changed.notify_all()

    def close(self, deadline: float, *, is_exit: bool = False) -> None:
        """Let the thread end once nothing is left, or at `deadline`; at the exit, also where nothing moves."""
        with self.lock:
            self.is_closed = True
            self._closes_at = deadline
            self._leave(is_exit=is_exit)
            self._failures = 0
            self._expedite()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Wake those who wait when the sending has ended for good."""
        self._has_ended = False
        try:
            yield
        finally:
            with self.lock:
                self._has_ended = self.is_closed
                self._changed.notify_all()

    @contextmanager
    def caller_sends_until(self, deadline: float, *, is_exit: bool = False) -> Iterator[None]:
        """Have the caller itself, where there is no thread, send until `deadline` or until nothing is left."""
        self._leave(is_exit=is_exit)
        self._caller_leaves_at = deadline
        try:
            yield
        finally:
            self._caller_leaves_at = None

    def until_settled(self, deadline: float, *, is_leaving: bool = False, is_exit: bool = False) -> bool:
        """Wait, with the thread expedited, until what is accepted by now is settled; return False at `deadline`.

        What comes in meanwhile is not waited for: under steady load a flush would never end. Where the process
        `is_leaving` and the server has to be waited for, there is nothing to wait for once all of it is on disk; where
        it `is_exit`, that is so after `exit_try_s` without progress, whatever there is to wait for.
        """
        with self.lock:
            self._leave(is_exit=is_exit)
            goal, epoch = self._accepted, self.epoch
            self._flushing += 1
            self._leaving += is_leaving
            self._failures = 0
            self._expedite()
            try:
                while self._settled < goal and self.epoch == epoch:
                    left = min(deadline, self._exit_ends_at if is_exit else inf) - time.monotonic()
                    if left <= 0 or self._has_ended or (is_leaving and self._is_backing_off and self._is_futile()):
                        return False
                    # What gets on disk meanwhile does not wake this thread.
                    self._changed.wait(min(left, SAFE_S) if is_exit else left)
                return True
            finally:
                self._flushing -= 1
                self._leaving -= is_leaving

    def for_work(self, store: Store, policy: DeliveryPolicy) -> bool:
        """Wait until a batch is worth taking; return False where the thread is to end."""
        with self.lock:
            if not len(store):
                if self._deadline is not None:
                    return False
                self._is_idle = True
                self._changed.wait(self.idle_s)
                self._is_idle = False
                # Woken by the first event of a batch: the others are given their time below.
                if not len(store):
                    return True
            collected_at = time.monotonic() + policy.flush_interval_s
            while not self._is_expedited() and len(store) < policy.max_batch_events:
                left = collected_at - time.monotonic()
                if left <= 0:
                    break
                # Events that come do not wake the thread: it looks ten times in an interval whether a batch is full.
                self._changed.wait(min(left, policy.flush_interval_s / 10))
            return not self.is_over

    def backoff(self, seconds: float, *, floor_s: float) -> bool:
        """Wait before the next attempt; return False where the thread is to end.

        A flush that comes meanwhile cuts the wait short once, so that a recovered server gets what is waiting; what the
        server itself asked for (`floor_s`) is not cut.
        """
        with self.lock:
            self._is_backing_off, self._cut_backoff = True, False
            self._failures += 1
            if self._leaving:
                self._changed.notify_all()
            try:
                return self._wait_out(seconds, floor_s, time.monotonic())
            finally:
                self._is_backing_off = False

    def _wait_out(self, seconds: float, floor_s: float, started: float) -> bool:
        while True:
            waited = time.monotonic() - started
            left = max(seconds, floor_s) - waited
            if self._cut_backoff and waited >= floor_s:
                left = 0
            deadline = self._deadline
            if deadline is not None:
                left = min(left, deadline - time.monotonic())
                if self.is_closed and self._is_futile():
                    return False
            if left <= 0:
                return not self.is_over
            self._changed.wait(left)

    def request_timeout_s(self, longest_s: float) -> float:
        """Return how long one request may take: less than `longest_s` where the sender's end is near.

        A flush does not shorten it: it returns in time anyhow, and an answer that is cut off is a batch sent twice.
        """
        deadline = self._deadline
        if deadline is None:
            return longest_s
        return max(MIN_REQUEST_S, min(longest_s, deadline - time.monotonic()))

    @property
    def is_over(self) -> bool:
        """Whether the sending has to stop, whatever is left."""
        deadline = self._deadline
        return deadline is not None and time.monotonic() >= deadline

    @property
    def _deadline(self) -> float | None:
        """When the sending has to stop: that of the thread, or of the caller in its place."""
        ends = [at for at in (self._closes_at, self._caller_leaves_at) if at is not None]
        return min(*ends, self._exit_ends_at) if ends else None

    def _leave(self, *, is_exit: bool) -> None:
        """Note the time at which the process was first said to end."""
        if is_exit and self._tried_since is None:
            self._tried_since = time.monotonic()

    @property
    def _exit_ends_at(self) -> float:
        """When an exit is held up no longer by what another process finds on the disk."""
        if self._tried_since is None or not self._is_safe():
            return inf
        return self._tried_since + self._exit_try_s

    def _is_futile(self) -> bool:
        """Whether a process that leaves has tried enough: another one finds the events on disk."""
        return self._failures > LEAVING_FAILURES and self._is_safe()

    def _expedite(self) -> None:
        self._cut_backoff = self._is_backing_off
        self._changed.notify_all()

    def _is_expedited(self) -> bool:
        return self._flushing > 0 or self._deadline is not None
