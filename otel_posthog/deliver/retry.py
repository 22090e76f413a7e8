"""The batches under way of one destination: each is tried until its events are delivered, or refused for good.

Comes in: a batch. Goes out, to the store: which of its events PostHog has, and which are dead letters. What a response
asks for is done here: wait and try again, split the batch, try it by the older format, give an event up. Runs on the
sending thread, one attempt a step. It never changes an event, so that a repeat is recognised by its uuid.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from random import uniform

from otel_posthog import health as outcome
from otel_posthog.deliver.batch import Batch, BatchSize
from otel_posthog.deliver.outage import IN_MEMORY, LOST, ON_DISK, OutageLog
from otel_posthog.deliver.service import PostHogService
from otel_posthog.deliver.store import Store
from otel_posthog.deliver.waiting import Waiting
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy, Destination
from otel_posthog.posthog.encoding import time_in
from otel_posthog.posthog.responses import TOO_LARGE, Action, Verdict

# One bad event in a batch of 100 is found after at most 8 refusals; a server that refuses everything says so 4 times a
# second.
BURST, PER_SECOND = 16.0, 4.0
# The shortest backoff, as a share of the longest at that attempt: PostHog expects 0.1 s before a first repeat, which is
# this share of the default `retry_initial_s`.
LEAST_JITTER = 0.2


class RetryQueue:
    """The batches under way, the oldest first.

    Args:
        destination: Whose events they are; for the log.
        policy: Attempts and backoff.
        store: Where the events are, until they are acknowledged.
        health: Counts what becomes of them.
        guard: Keeps errors of ours out of the host app.
        service: Makes the attempts.
        waiting: Waits between them, and knows when the sending is to end.
    """

    def __init__(  # noqa: PLR0913 - what a sender works with
        self,
        destination: Destination,
        policy: DeliveryPolicy,
        store: Store,
        health: Health,
        guard: Guard,
        *,
        service: PostHogService,
        waiting: Waiting,
    ) -> None:
        self._policy, self._store, self._health, self._guard = policy, store, health, guard
        self._service, self._waiting = service, waiting
        self._batches: deque[Batch] = deque()
        self._name = destination.name
        self._outage, self._refusals = OutageLog(destination.name), RateLimit()
        self._size = BatchSize(policy.max_batch_bytes)

    @property
    def is_empty(self) -> bool:
        """Whether no batch is under way."""
        return not self._batches

    @property
    def max_bytes(self) -> int:
        """How many bytes of events the next batch may have."""
        return self._size.max_bytes

    def add(self, batch: Batch) -> None:
        """Put a batch under way."""
        self._batches.append(batch)

    def clear(self) -> None:
        """Forget the batches: their events were discarded."""
        self._batches.clear()

    def step(self) -> bool:
        """Make one attempt at the oldest batch; return False where the sending is to end."""
        batch = self._batches.popleft()
        try:
            return self._try(batch)
        except Exception as error:
            # An error of ours would repeat with the same event: that one goes, its neighbours go on.
            self._split(batch, "error_in_deliver")
            self._guard.caught("deliver", error)
            return True

    def _try(self, batch: Batch) -> bool:
        """Make one attempt at `batch` and do what the response asks for; return False at the deadline."""
        verdict = self._service.attempt(batch, self._waiting.request_timeout_s)
        if verdict.action is Action.FALL_BACK:
            self._batches.appendleft(batch)
            return True
        if verdict.action in {Action.RETRY, Action.PAUSE}:
            return self._retry(batch, verdict)
        self._outage.end()
        if verdict.action is Action.DONE:
            return self._settle(batch, verdict)
        if verdict.action is Action.SPLIT:
            self._size.refused(batch.size_bytes, is_too_large=verdict.reason == TOO_LARGE)
            self._split(batch, verdict.reason)
        else:
            self._dead_letter(batch.events, verdict.reason)
        delay_s = self._refusals.delay_s()
        return not delay_s or self._waiting.backoff(delay_s, floor_s=delay_s)

    def _retry(self, batch: Batch, verdict: Verdict) -> bool:
        """Wait, with `batch` the next to be tried; return False where the sending is to end."""
        if verdict.action is Action.PAUSE:
            self._outage.log_refused(verdict, self._fate())
            if self._waiting.is_closed:
                # A key is not corrected while a process ends: one try, and no wait.
                self._batches.appendleft(batch)
                return False
        elif batch.attempts >= (self._policy.max_attempts or math.inf):
            self._dead_letter(batch.events, "attempts_exhausted")
            return True
        elif verdict.action is Action.RETRY:
            self._outage.log_lasting(verdict, self._fate())
        self._health.count(outcome.RETRIED, verdict.reason or "result", len(batch.events))
        self._batches.appendleft(batch)
        # There is no hurry where the project's settings are at fault.
        is_paused = verdict.action is Action.PAUSE
        delay_s = self._policy.retry_max_s if is_paused else backoff_s(self._policy, batch.attempts)
        return self._waiting.backoff(delay_s, floor_s=verdict.retry_after_s)

    def _settle(self, batch: Batch, verdict: Verdict) -> bool:
        """Settle each event by its own result; those to be retried make a smaller batch."""
        self._size.accepted()
        by_result: dict[str, list[CleanEvent]] = {"retry": [], "drop": [], "": []}
        for event in batch.events:
            by_result.get(verdict.results.get(event.uuid, ""), by_result[""]).append(event)
        self._dead_letter(by_result["drop"], "rejected")
        self._health.count(outcome.DELIVERED, "", len(by_result[""]))
        self._tell_latency(by_result[""])
        self._store.acknowledge(by_result[""])
        again = by_result["retry"]
        if not again:
            return True
        return self._retry(batch.only(again), verdict)

    def _split(self, batch: Batch, reason: str) -> None:
        """Halve `batch`, so that the one bad event, a dead letter, ends up alone and its neighbours arrive."""
        if len(batch.events) == 1:
            self._dead_letter(batch.events, reason)
        else:
            self._batches.extendleft(reversed(batch.halves()))

    def _dead_letter(self, events: Sequence[CleanEvent], reason: str) -> None:
        if events:
            self._health.count(outcome.DROPPED, reason, len(events))
            self._store.dead_letter(events, reason)

    def _tell_latency(self, delivered: Sequence[CleanEvent]) -> None:
        """Tell how long ago it was what the oldest of `delivered`, the first, is about."""
        try:
            at_s = time_in(delivered[0]) if delivered else None
            if at_s is not None:
                self._health.latency(max(0.0, time.time() - at_s), self._name)
        except Exception as error:  # a metric is no reason to send them again
            self._guard.caught("latency", error)

    def _fate(self) -> str:
        """Return what becomes of the events while PostHog does not take them."""
        if not self._store.volatile:
            return ON_DISK
        return LOST if self._waiting.is_closed else IN_MEMORY


def backoff_s(policy: DeliveryPolicy, attempts: int) -> float:
    """Return how long to wait after `attempts` of them: full jitter below a ceiling that doubles."""
    # The exponent is bounded so that the power stays a float however long an outage lasts.
    ceiling = min(policy.retry_max_s, policy.retry_initial_s * 2.0 ** min(attempts - 1, 32))
    return uniform(LEAST_JITTER * ceiling, ceiling)  # noqa: S311 - spreads load, keeps no secret


class RateLimit:
    """A token bucket of refusals, so that a batch that is halved again and again never floods the server.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._at = BURST, clock()

    def delay_s(self) -> float:
        """Take one refusal from the bucket; return how long to wait before the next request."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND) - 1.0
        self._at = now
        return max(0.0, -self._left / PER_SECOND)
