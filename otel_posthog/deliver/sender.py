"""The sender of one destination: a thread that takes batches from the store and does not give up on them.

Comes in: clean events from any thread, into the store. Goes out: batches, one at a time, in order, through the retry
queue (`retry`), which has the service (`service`) make the attempts. It waits for PostHog as long as the process lives;
the threads that submit never wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone

from otel_posthog import health as outcome
from otel_posthog.deliver.batch import Batch
from otel_posthog.deliver.retry import RetryQueue
from otel_posthog.deliver.service import PostHogService
from otel_posthog.deliver.store import CHILDREN_S, Store
from otel_posthog.deliver.transport import Transport
from otel_posthog.deliver.waiting import Waiting
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy, Destination
from otel_posthog.threads import Daemon, Lock, PipelineWork, RLock, start_daemon

# After an error of ours outside any batch; a flush does not cut it either.
FAULT_PAUSE_S = 1.0
# For a thread that ends by itself, as after two failures.
JOIN_S = 0.1


class Sender:
    """Sends what the store holds to one destination.

    Args:
        destination: Its key and host.
        policy: Limits, intervals, timeouts.
        store: Where events wait.
        health: Counts what becomes of them.
        guard: Keeps errors of ours out of the host app.
        transport: The network.
        suppress: Keeps the host's instrumentation from tracing our requests.
        now: The time, in UTC.
    """

    def __init__(  # noqa: PLR0913 - what a sender works with
        self,
        destination: Destination,
        policy: DeliveryPolicy,
        store: Store,
        health: Health,
        guard: Guard,
        *,
        transport: Transport | None = None,
        suppress: Callable[[], AbstractContextManager[None]] = nullcontext,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._destination, self._policy, self.store = destination, policy, store
        self._health, self._guard, self._suppress, self._now = health, guard, suppress, now
        self._service = PostHogService(destination, policy, health, guard, transport=transport, now=now)
        self._start_fresh()

    def _start_fresh(self) -> None:
        self._waiting = Waiting(lambda: not self.store.volatile, self._policy.exit_try_s)
        self._thread: Daemon | None = None
        # One at a time sends: the thread, or a caller of `flush` where there is none.
        self._sending = Lock()
        # Nothing is discarded between the look at the epoch and the taking of a batch.
        self._taking = RLock()
        self._taken, self._epoch = 0, 0
        self._is_starting = False
        self._retries = RetryQueue(
            self._destination,
            self._policy,
            self.store,
            self._health,
            self._guard,
            service=self._service,
            waiting=self._waiting,
        )

    def reset_after_fork(self) -> None:
        """Leave to the parent what it will deliver; the thread starts with the next event, not here."""
        self.store.reset_after_fork()
        self._service.reset_after_fork()
        self._start_fresh()

    @property
    def outstanding(self) -> int:
        """How many events are neither delivered nor dropped; a batch counts until all of it is."""
        return self._waiting.outstanding

    def submit(self, events: Sequence[CleanEvent]) -> None:
        """Take `events` over; count those as dropped that find no room or come after `shutdown`. Never raises."""
        try:
            kept, reason = self._put(events)
        except Exception as error:
            self._health.count(outcome.DROPPED, "error_in_deliver", len(events))
            self._guard.caught("submit", error)
            return
        # Not under the lock, which a handler of the log may be waited for with.
        self._guarded("log", self.store.log)
        if kept < len(events):
            self._health.count(outcome.DROPPED, reason, len(events) - kept)
        if kept and not self._has_thread():
            self._start()

    def accept(self, events: Sequence[CleanEvent]) -> bool:
        """Take `events` over from a caller that keeps them until they are on disk; return whether they are.

        Where they are not, the caller repeats them, with the same uuids: none is counted as dropped, and while events
        that the disk did not take wait in memory, no further ones are taken. It never raises.
        """
        try:
            if self.store.volatile:
                return False
            kept, _ = self._put(events)
        except Exception as error:
            self._guard.caught("accept", error)
            return False
        self._guarded("log", self.store.log)
        if kept and not self._has_thread():
            self._start()
        return kept == len(events) and not self.store.volatile

    def _put(self, events: Sequence[CleanEvent]) -> tuple[int, str]:
        """Store `events`; return how many, and why not the others."""
        # Under one lock with the thread's look into the store, which would else sleep past an event just put.
        with self._waiting.lock:
            if self._waiting.is_closed:
                return 0, "after_shutdown"
            kept = self.store.put_all(events)
            if kept:
                self._waiting.accepted(kept)
        return kept, "buffer_full"

    def start(self) -> None:
        """Start the thread before there is an event, so that it delivers what an ended process left."""
        if not self._has_thread():
            self._start()

    def look_after_children(self) -> None:
        """Start the thread, and have it look often for what children of this process left."""
        if not self._waiting.is_closed:
            self.store.look_after_children()
            self._waiting.idle_s = CHILDREN_S
            self.start()

    def flush(self, timeout_s: float, *, is_leaving: bool = False, is_exit: bool = False) -> bool:
        """Wait until what was submitted before is delivered or finally dropped; False where time did not suffice.

        Args:
            timeout_s: The longest to wait.
            is_leaving: The process ends: no wait for a server that fails, where the events are on disk.
            is_exit: As its exit, that is: no longer than `exit_try_s` without progress.
        """
        deadline = time.monotonic() + timeout_s
        if self._waiting.outstanding and not self._has_thread():
            self._send_here(deadline, is_exit=is_exit)
        return self._waiting.until_settled(deadline, is_leaving=is_leaving, is_exit=is_exit)

    def shutdown(self, timeout_s: float, *, is_exit: bool = False) -> bool:
        """Flush, end the thread, and leave what is left to another process; False where the time did not suffice."""
        deadline = time.monotonic() + timeout_s
        self._waiting.close(deadline, is_exit=is_exit)
        done = self.flush(timeout_s, is_leaving=True, is_exit=is_exit)
        if self._thread is not None:
            # A request without an answer holds the thread; after a try at the exit that is not waited for.
            patience_s = deadline - time.monotonic() if done or not is_exit else JOIN_S
            self._thread.join(max(0.0, patience_s))
        self._guarded("close", self.store.close)
        return done

    def discard(self, reason: str) -> int:
        """Drop all that waits here and what ended processes left; return how many events.

        Args:
            reason: A fixed identifier, under which they are counted.
        """
        with self._taking, self._waiting.lock:
            count = self.store.discard(reason)
            # Before a flush that waits returns.
            if count:
                self._health.count(outcome.DROPPED, reason, count)
            self._waiting.discarded()
        return count

    def _has_thread(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _start(self) -> None:
        with self._waiting.lock:
            # A signal handler may come by here while the thread is being started.
            if not self._has_thread() and not self._is_starting:
                self._is_starting = True
                try:
                    self._thread = start_daemon(f"otel-posthog-sender-{self._destination.name}", self._run)
                finally:
                    self._is_starting = False

    def _run(self) -> None:
        """Send, as the thread, until the sender is closed and nothing is left, or its deadline is there."""
        with self._sending:
            self._send()

    def _send_here(self, deadline: float, *, is_exit: bool) -> None:
        """Send, as a caller in place of the thread, until nothing is left or `deadline` is there."""
        if not self._sending.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return
        try:
            with PipelineWork(), self._waiting.caller_sends_until(deadline, is_exit=is_exit):
                self._send()
        finally:
            self._sending.release()

    def _send(self) -> None:
        with self._suppress(), self._waiting.sending():
            while self._cycle():
                self._guarded("report", self._health.report_if_due)

    def _cycle(self) -> bool:
        """Work on one batch; return False where the sending is to end."""
        try:
            self.store.maintain()
            self.store.log()
            if self._epoch != self._waiting.epoch:
                self._retries.clear()  # discarded
            if not self._retries.is_empty:
                return not self._waiting.is_over and self._step()
            if not self._waiting.for_work(self.store, self._policy):
                return False
            self._take()
            return True
        except Exception as error:
            self._guard.caught("deliver", error)
            # A fault that stays, of a store say, must neither end the thread nor keep a core busy.
            return self._waiting.backoff(FAULT_PAUSE_S, floor_s=FAULT_PAUSE_S)

    def _take(self) -> None:
        with self._taking:
            self._epoch = self._waiting.epoch
            events = self.store.take(self._policy.max_batch_events, self._retries.max_bytes)
        if events:
            self._taken = len(events) - self.store.adopted(events)
            self._retries.add(Batch(events, self._now().isoformat()))

    def _step(self) -> bool:
        """Make one attempt at the oldest batch; return False where the sending is to end."""
        try:
            return self._retries.step()
        finally:
            if self._retries.is_empty:
                self._waiting.settled(self._taken, self._epoch)

    def _guarded(self, place: str, call: Callable[[], None]) -> None:
        """Call what is not about events: its failure costs none."""
        try:
            call()
        except Exception as error:
            self._guard.caught(place, error)
