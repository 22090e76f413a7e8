"""The sender of one destination: a thread that takes batches from the store and does not give up on them.

Comes in: clean events from any thread. Goes out: requests, one at a time, in order. It waits for PostHog as long as the
process lives; the threads that submit never wait for it. It never re-encodes, renames or re-dates an event, so that
every attempt carries the same uuid and timestamp and a repeat is harmless.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timezone
from random import uniform

from otel_posthog import health as outcome
from otel_posthog.daemon import start_daemon
from otel_posthog.deliver.store import Store
from otel_posthog.deliver.transport import HttpTransport, Transport, TransportError
from otel_posthog.deliver.verdict import Action, Verdict, judge
from otel_posthog.deliver.waiting import Waiting
from otel_posthog.deliver.wire import Attempt, Request, ingestion_url, v0_request, v1_request
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy, Destination

_log = logging.getLogger("otel_posthog")

_PAUSED_LINE = "PostHog does not take events for destination %s (%s): check POSTHOG_API_KEY and POSTHOG_HOST; events %s"

# After an error of ours outside any batch; a flush does not cut it either.
FAULT_PAUSE_S = 1.0


@dataclass(slots=True)
class _Batch:
    """A batch under way, with what stays the same over its attempts."""

    events: list[CleanEvent]
    created_at: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0


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
        self._transport: Transport = transport or HttpTransport()
        self._url = ingestion_url(destination.host)
        self._has_v1 = True
        self._start_fresh()

    def _start_fresh(self) -> None:
        self._waiting = Waiting()
        self._thread: threading.Thread | None = None
        # One at a time sends: the thread, or a caller of `flush` where there is none.
        self._sending = threading.Lock()
        self._work: deque[_Batch] = deque()
        self._taken = 0
        self._is_paused = False

    def reset_after_fork(self) -> None:
        """Leave to the parent what it will deliver; the thread starts with the next event, not here."""
        self.store.reset_after_fork()
        self._transport.reset_after_fork()
        self._start_fresh()

    @property
    def outstanding(self) -> int:
        """How many events are neither delivered nor dropped; a batch counts until all of it is."""
        return self._waiting.outstanding

    def submit(self, event: CleanEvent) -> None:
        """Take `event` over; count it as dropped where there is no room or after `shutdown`. Never raises."""
        try:
            reason = self._put(event)
        except Exception as error:
            self._health.count(outcome.DROPPED, "error_in_deliver")
            self._guard.caught("submit", error)
            return
        if reason:
            self._health.count(outcome.DROPPED, reason)
        elif not self._has_thread():
            self._start()

    def _put(self, event: CleanEvent) -> str:
        """Store `event`; return why not, or an empty string."""
        # Under one lock with the thread's look into the store, which would else sleep past an event just put.
        with self._waiting.lock:
            if self._waiting.is_closed:
                return "after_shutdown"
            if not self.store.put(event):
                return "buffer_full"
            self._waiting.accepted()
        return ""

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was submitted before is delivered or finally dropped; False where time did not suffice."""
        deadline = time.monotonic() + timeout_s
        if self._waiting.outstanding and not self._has_thread():
            self._send_here(deadline)
        return self._waiting.until_settled(deadline)

    def shutdown(self, timeout_s: float) -> bool:
        """Flush, and end the thread; False where the time did not suffice."""
        deadline = time.monotonic() + timeout_s
        self._waiting.close(deadline)
        done = self.flush(timeout_s)
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return done

    def _has_thread(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _start(self) -> None:
        with self._waiting.lock:
            if not self._has_thread():
                self._thread = start_daemon(f"otel-posthog-sender-{self._destination.name}", self._run)

    def _run(self) -> None:
        """Send, as the thread, until the sender is closed and nothing is left, or its deadline is there."""
        with self._sending:
            self._send()

    def _send_here(self, deadline: float) -> None:
        """Send, as a caller in place of the thread, until nothing is left or `deadline` is there."""
        if not self._sending.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return
        try:
            with self._waiting.caller_sends_until(deadline):
                self._send()
        finally:
            self._sending.release()

    def _send(self) -> None:
        with self._suppress():
            while self._cycle():
                self._guarded("report", self._health.report_if_due)

    def _cycle(self) -> bool:
        """Work on one batch; return False where the sending is to end."""
        try:
            if self._work:
                return not self._waiting.is_over and self._step()
            if not self._waiting.for_work(self.store, self._policy):
                return False
            events = self.store.take(self._policy.max_batch_events, self._policy.max_batch_bytes)
            if events:
                self._taken = len(events)
                self._work.append(_Batch(events, self._now().isoformat()))
            return True
        except Exception as error:
            self._guard.caught("deliver", error)
            # A fault that stays, of a store say, must neither end the thread nor keep a core busy.
            return self._waiting.backoff(FAULT_PAUSE_S, floor_s=FAULT_PAUSE_S)

    def _step(self) -> bool:
        """Make one attempt at the oldest batch."""
        batch = self._work.popleft()
        try:
            return self._advance(batch)
        except Exception as error:
            # An error of ours comes again with the same event: it goes, its neighbours go on.
            self._halve_or_drop(batch, "error_in_deliver")
            self._guard.caught("deliver", error)
            return True
        finally:
            if not self._work:
                self._waiting.settled(self._taken)

    def _advance(self, batch: _Batch) -> bool:
        """Make one attempt at `batch` and do what the answer asks for; return False at the deadline."""
        verdict = self._attempt(batch)
        if verdict.action is Action.FALL_BACK:
            self._has_v1 = False
            _log.info("destination %s has no Capture V1: /batch/ is used", self._destination.name)
            self._work.appendleft(batch)
            return True
        if verdict.action is Action.PAUSE and self._waiting.is_closed:
            # Nobody corrects a key while a process ends: one try, and no wait.
            self._tell_pause(verdict, "are not delivered before the end")
            self._drop(batch.events, "exit")
            return True
        if verdict.action in {Action.RETRY, Action.PAUSE}:
            self._tell_pause(verdict, "wait in memory until it does")
            return self._again(batch, verdict)
        self._is_paused = False
        if verdict.action is Action.DONE:
            return self._sort_out(batch, verdict)
        if verdict.action is Action.SPLIT:
            self._halve_or_drop(batch, verdict.reason)
        else:
            self._drop(batch.events, verdict.reason)
        return True

    def _again(self, batch: _Batch, verdict: Verdict) -> bool:
        """Wait, with `batch` the next to be tried; return False at the deadline."""
        self._health.count(outcome.RETRIED, verdict.reason or "result", len(batch.events))
        self._work.appendleft(batch)
        return self._waiting.backoff(self._delay_s(batch, verdict), floor_s=verdict.retry_after_s)

    def _attempt(self, batch: _Batch) -> Verdict:
        batch.attempts += 1
        attempt = Attempt(
            batch.events, batch.request_id, batch.created_at, sent_at=self._now().isoformat(), number=batch.attempts
        )
        make = v1_request if self._has_v1 else v0_request
        request = make(attempt, self._destination.api_key or "")
        started = time.monotonic()
        verdict = self._post(request)
        duration_s = time.monotonic() - started
        self._guarded("delivery_listener", lambda: self._health.delivery(duration_s, verdict.action.value))
        return verdict

    def _post(self, request: Request) -> Verdict:
        try:
            timeout_s = self._waiting.request_timeout_s(self._policy.request_timeout_s)
            response = self._transport.post(self._url + request.path, request.headers, request.body, timeout_s)
        except TransportError as error:
            return Verdict(Action.RETRY, f"network_{error}")
        except Exception as error:
            # Whatever a transport fails with, the events are not to blame.
            self._guard.caught("transport", error)
            return Verdict(Action.RETRY, "error_in_transport")
        return judge(response, is_v1=self._has_v1, now=self._now())

    def _guarded(self, place: str, call: Callable[[], None]) -> None:
        """Call what is not about events: its failure costs none."""
        try:
            call()
        except Exception as error:
            self._guard.caught(place, error)

    def _sort_out(self, batch: _Batch, verdict: Verdict) -> bool:
        """Settle each event by its own result; those to be retried make a smaller batch."""
        by_result: dict[str, list[CleanEvent]] = {"retry": [], "drop": [], "": []}
        for event in batch.events:
            by_result.get(verdict.results.get(event.uuid, ""), by_result[""]).append(event)
        self._drop(by_result["drop"], "rejected")
        self._health.count(outcome.DELIVERED, "", len(by_result[""]))
        self.store.acknowledge(by_result[""])
        again = by_result["retry"]
        if not again:
            return True
        return self._again(_Batch(again, batch.created_at, batch.request_id, batch.attempts), verdict)

    def _halve_or_drop(self, batch: _Batch, reason: str) -> None:
        """Halve `batch`, so that the one bad event ends up alone and its neighbours arrive; drop it there."""
        if len(batch.events) == 1:
            self._drop(batch.events, reason)
            return
        middle = len(batch.events) // 2
        for half in (batch.events[middle:], batch.events[:middle]):
            self._work.appendleft(_Batch(half, batch.created_at))

    def _drop(self, events: Sequence[CleanEvent], reason: str) -> None:
        if events:
            self._health.count(outcome.DROPPED, reason, len(events))
            self.store.acknowledge(events)

    def _delay_s(self, batch: _Batch, verdict: Verdict) -> float:
        """Return how long to wait before the next attempt: full jitter, and no hurry where the project is at fault."""
        policy = self._policy
        if verdict.action is Action.PAUSE:
            return policy.retry_max_s
        # The exponent is bounded so that the power stays a float however long an outage lasts.
        ceiling = min(policy.retry_max_s, policy.retry_initial_s * 2.0 ** min(batch.attempts - 1, 32))
        return uniform(0, ceiling)  # noqa: S311 - spreads load, keeps no secret

    def _tell_pause(self, verdict: Verdict, fate: str) -> None:
        if verdict.action is Action.PAUSE and not self._is_paused:
            self._is_paused = True
            _log.error(_PAUSED_LINE, self._destination.name, verdict.reason.replace("_", " ").upper(), fate)
