"""The pipeline: read this first. It moves signals through the stages; no stage knows another.

    intake ── Signal ─▶ [worker] ─▶ stages: translate ── Event ─▶ clean ── CleanEvent ─▶ deliver

`submit` runs on application threads and only queues. The worker calls `stages`; an application thread does so itself
when the worker's queue is full or `durability` is `write_through`, and a gateway's `accept` for many signals at once.
This module says what happens when: start, queue, flush, fork, opt-out, another policy, end. What becomes of a signal is
in `stages`.
"""

from __future__ import annotations

import atexit
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from otel_posthog import health as outcome
from otel_posthog.deliver import Delivery, SpoolRoot
from otel_posthog.derived_limits import Limits
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import KeyRing, Pseudonyms
from otel_posthog.later import Later
from otel_posthog.model import CleanEvent, Signal
from otel_posthog.policy import Durability, Policy
from otel_posthog.policy.policy import revision_of
from otel_posthog.process import before_os_exit, run_at_end_of_child, run_in_child, run_in_parent
from otel_posthog.recogniser import Recogniser
from otel_posthog.sdk import suppressed_instrumentation
from otel_posthog.threads import PipelineWork
from otel_posthog.worker import Worker, bounds

if TYPE_CHECKING:
    from otel_posthog.stages import Outcome, Stages

_log = logging.getLogger("otel_posthog")

# Threads end and locks are handed on after the deadline of a wait: measured up to 0.07 s on two busy cores.
EXIT_MARGIN_S = 0.25
# Of a process that ends in `os._exit`: to get on disk what the worker has not handled yet takes milliseconds.
SAVE_TIMEOUT_S = 1.0

OPTED_OUT_REASON = "opted_out"
_CHOICES = {True: ("no longer collected", "False"), False: ("collected again", "True")}

Tap = Callable[["Sequence[Outcome]"], object]
"""Called with what became of signals, on the thread that handled them, before anything is sent."""


class Accepted(NamedTuple):
    """What became of signals whose sender keeps them until they are accepted.

    Attributes:
        is_kept: Whether each of their events is on disk or dropped for good; if not, the sender is to retry.
        events: How many clean events they became, over all destinations.
        dropped: Reasons of drops, and how many; counted already.
    """

    is_kept: bool
    events: int
    dropped: Counter[str]


class Pipeline:
    """From signals to PostHog.

    Args:
        policy: What may leave, as whom, and where to.
        installation_id: The `distinct_id` of events without a user.
        health: Counts what becomes of events.
        guard: Keeps errors out of the host app.
        delivery: Sends clean events; the default sends them over HTTP.
        pseudonyms: Stand for ids in the modes that do not send them.
        is_opted_out: Whether the user opted out at run time; asked for every signal and now and then while idle.
        spool: Where clean events wait on disk; None keeps them in memory.
    """

    def __init__(  # noqa: PLR0913 - the last four by name
        self,
        policy: Policy,
        *,
        installation_id: str,
        health: Health,
        guard: Guard,
        delivery: Delivery | None = None,
        pseudonyms: Pseudonyms | None = None,
        is_opted_out: Callable[[], bool] = lambda: False,
        spool: SpoolRoot | None = None,
    ) -> None:
        self.policy, self.recogniser, self._is_opted_out = policy, Recogniser(policy), is_opted_out
        self._health, self._guard = health, guard
        self._installation_id, self.pseudonyms = installation_id, pseudonyms or Pseudonyms()
        self._limits = Limits(policy)
        # A start does without the stages, and is the faster by half.
        self._made = Later(self._stages)
        self._tap: Tap | None = None
        health.use_policy(revision_of(policy))
        self._delivery = delivery or Delivery(policy, health, guard, suppress=suppressed_instrumentation, spool=spool)
        self._worker = Worker(self._handle, self._commit, self._tick, **bounds(policy.delivery))
        self._ticks: list[Callable[[], None]] = []
        self._returns: list[Callable[[], None]] = []
        self._exit_deadline: float | None = None
        self._is_closed = self._was_opted_out = False
        health.gauge("worker", lambda: self._worker.size_bytes)
        health.gauge("buffer", lambda: self._delivery.size_bytes)
        run_in_child(self.reset_after_fork)
        run_in_parent(self._look_after_children)
        run_at_end_of_child(self._end_child)
        atexit.register(self.shutdown)
        before_os_exit(self._save_at_once)
        if is_opted_out():
            self.heed_choice()
        elif self._delivery.start():
            # The worker's ticks see an opt-out while what an earlier process left is being sent.
            self._worker.start()

    def start(self) -> None:
        """Start the worker before there is a signal, for its ticks."""
        self._worker.start()

    def submit(self, signal: Signal) -> None:
        """Take `signal` over from an application thread; never raises, never waits for the network."""
        try:
            if self._is_closed:
                self._health.count(outcome.DROPPED, "after_shutdown")
            elif self._is_opted_out():
                if not self._was_opted_out:
                    self.heed_choice()
            else:
                if self._was_opted_out:
                    self.heed_choice()
                if self._waits(signal):
                    return
                if not self._worker.put(signal):
                    self._worker.handle_here(signal)
        except Exception as error:
            self._guard.caught("submit", error)

    def accept(self, signals: Sequence[Signal]) -> Accepted:
        """Handle `signals` at once, for a sender that keeps them until their events are on disk; never raises."""
        dropped: Counter[str] = Counter()
        if self._is_closed:
            return Accepted(is_kept=False, events=0, dropped=dropped)
        if self._is_opted_out():
            dropped[OPTED_OUT_REASON] = len(signals)
            return Accepted(is_kept=True, events=0, dropped=dropped)
        if self._was_opted_out:
            self.heed_choice()
        with PipelineWork():
            try:
                made, reasons = self.stages.cleaned_of_all(signals, self._tap and self._show)
            except Exception as error:
                self._guard.caught("stages", error)
                return Accepted(is_kept=False, events=0, dropped=dropped)
            is_kept = not made or self._delivery.accept(made)
        dropped.update(reasons)
        return Accepted(is_kept, len(made), dropped)

    @property
    def has_room(self) -> bool:
        """Whether there seems to be room for the events of another `accept`."""
        return not self._is_closed and self._delivery.has_room

    def watch(self, tap: Tap | None) -> None:
        """Have `tap` see every outcome from the next signal on, drops too; None ends that.

        Nothing is shown once the user has opted out. What `tap` raises is counted and stops nothing.

        Args:
            tap: Called on the worker and on application threads, so it must be quick. Outcomes hold what is not
                filtered yet: it keeps them in memory, if at all.
        """
        self._tap = tap

    def replace_policy(self, policy: Policy, keys: KeyRing | None = None) -> None:
        """Put `policy` in force from the next signal on; what waits to be sent stays as it was cleaned.

        Args:
            policy: May have further destinations and lack some; those that stay keep key, host and delivery.
            keys: The keys of the mode `pseudonymous` from now on.

        Raises:
            ConfigurationError: It cannot be compiled; nothing has changed then.
        """
        pseudonyms = self.pseudonyms.with_keys(keys)
        stages = self._stages(policy, pseudonyms)
        made = Later(lambda: stages)
        self._delivery.extend(policy)
        self._health.use_policy(stages.revision)
        self.policy, self.pseudonyms, self._made = policy, pseudonyms, made
        self._limits.follow(policy)
        self.recogniser.replace(policy)

    def renew(self, installation_id: str, pseudonyms: Pseudonyms) -> None:
        """Send as another installation from the next signal on.

        Args:
            installation_id: The `distinct_id` of events without a user.
            pseudonyms: Stand for ids in the modes that do not send them.
        """
        self._installation_id, self.pseudonyms = installation_id, pseudonyms
        self._made = Later(self._stages)

    def on_return(self, returned: Callable[[], None]) -> None:
        """Have `returned` called when the user opts in again after an opt-out, before anything is sent."""
        self._returns.append(returned)

    def on_tick(self, tick: Callable[[], None]) -> None:
        """Have the worker call `tick` after each signal, and now and then while there are none."""
        self._ticks.append(tick)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything submitted before is delivered or finally dropped.

        Returns:
            False where `timeout_s` did not suffice; what is left is still being tried.
        """
        deadline = time.monotonic() + timeout_s
        handed_over = self._worker.flush(timeout_s)
        return self._delivery.flush(max(0.0, deadline - time.monotonic())) and handed_over

    def flush_for_exit(self) -> None:
        """Deliver what is waiting when a provider shuts down.

        All callers together have `shutdown_timeout_s`: three providers must not delay an exit three times.
        """
        if not self._is_closed:
            deadline = time.monotonic() + self._exit_budget_s()
            self._worker.flush(deadline - time.monotonic())
            self._delivery.flush(max(0.0, deadline - time.monotonic()), is_leaving=True, is_exit=True)

    def shutdown(self, timeout_s: float | None = None) -> bool:
        """Deliver what is waiting and stop; further signals are counted and dropped. Idempotent.

        Args:
            timeout_s: The policy's `shutdown_timeout_s` where not given.

        Returns:
            False where the time did not suffice.
        """
        if self._is_closed:
            return True
        atexit.unregister(self.shutdown)
        try:
            deadline = time.monotonic() + (self._exit_budget_s() if timeout_s is None else timeout_s)
            handed_over = self._worker.flush(deadline - time.monotonic())
            self._is_closed = True
            self._worker.close()
            left_s, is_exit = max(0.0, deadline - time.monotonic()), timeout_s is None
            done = self._delivery.shutdown(left_s, is_exit=is_exit) and handed_over
            self._log_left()
            self._health.report()
            return done
        except Exception as error:
            self._guard.caught("shutdown", error)
            return False

    def discard(self, reason: str) -> int:
        """Drop all that waits to be sent, in memory and on disk, counted; return how many events.

        Args:
            reason: A fixed identifier (`opted_out`).
        """
        count = self._worker.discard()
        if count:
            self._health.count(outcome.DROPPED, reason, count)
        return count + self._delivery.discard(reason)

    def heed_choice(self) -> None:
        """Drop all that waits if the user has opted out; what is collected after that is not even counted."""
        is_out = self._is_opted_out()
        if is_out:
            # Again and again: another process's events may come on the disk that both use.
            self.discard(OPTED_OUT_REASON)
        if self._was_opted_out and not is_out:
            for returned in self._returns:
                returned()
        if is_out is not self._was_opted_out:
            self._was_opted_out = is_out
            _log.info("product events are %s: set_collection(%s)", *_CHOICES[is_out])

    def reset_after_fork(self) -> None:
        """Leave to the parent what it will deliver, and start with nothing."""
        self._health.reset_after_fork()
        self._limits.reset_after_fork()
        self._worker.reset_after_fork()

    def _end_child(self) -> None:
        """Deliver what is left in a child process that runs no exit handler, and log what was lost."""
        self.flush_for_exit()
        self._health.report()

    def _look_after_children(self) -> None:
        """Deliver what forked children leave behind, also where this process makes no event of its own."""
        try:
            if not (self._is_closed or self._was_opted_out) and self._delivery.look_after_children():
                self._worker.start()
        except Exception as error:
            self._guard.caught("fork", error)

    def _save_at_once(self) -> None:
        """Write what is queued to disk, or send it where there is no disk, before `os._exit` ends the process."""
        if self._is_closed:
            return
        deadline = time.monotonic() + SAVE_TIMEOUT_S
        self._worker.flush(SAVE_TIMEOUT_S)
        if self._delivery.volatile:
            self._delivery.flush(max(0.0, deadline - time.monotonic()), is_leaving=True)
        self._health.report()

    @property
    def stages(self) -> Stages:
        """The stages under the policy in force."""
        return self._made.get()

    def _stages(self, policy: Policy | None = None, pseudonyms: Pseudonyms | None = None) -> Stages:
        """Return the stages under `policy`, or the one in force."""
        from otel_posthog.stages import Stages  # noqa: PLC0415 - with all the detectors, which a start does without

        return Stages(
            policy or self.policy,
            installation_id=self._installation_id,
            health=self._health,
            guard=self._guard,
            pseudonyms=pseudonyms or self.pseudonyms,
            limits=self._limits,
        )

    def _waits(self, signal: Signal) -> bool:
        """Return whether `signal` is kept until the user of its request is known, and comes again then."""
        unknown = None if signal.context is None else signal.context.waits_for
        if unknown is None:
            return False
        may_wait = self.policy.delivery.durability is not Durability.WRITE_THROUGH
        return unknown.hold(self.submit, signal, may_wait=may_wait)

    def _handle(self, signal: Signal) -> list[CleanEvent]:
        """Return the clean events of `signal`; whatever goes wrong drops them, counted."""
        try:
            return self.stages.cleaned(signal, self._tap and self._show)[0]
        except Exception as error:
            self._guard.lost("error_in_stages", 1)
            self._guard.caught("stages", error)
            return []

    def _show(self, outcomes: Sequence[Outcome]) -> None:
        tap = self._tap
        try:
            if tap is not None and not self._is_opted_out():
                tap(outcomes)
        except Exception as error:
            self._guard.caught("tap", error)

    def _commit(self, events: Sequence[CleanEvent]) -> None:
        """Hand clean events to delivery, all at once, unless the user has opted out since they came."""
        if self._is_opted_out():
            self._health.count(outcome.DROPPED, OPTED_OUT_REASON, len(events))
        else:
            self._delivery.submit(*events)

    def _log_left(self) -> None:
        """Count and log what is lost with the process; PostHog may have the last batch all the same.

        What is on disk stays there for the next start or another process.
        """
        left = self._delivery.volatile
        if left:
            self._health.count(outcome.DROPPED, "exit", left)
            limit_s = self.policy.delivery.shutdown_timeout_s
            _log.warning("%d product events were not delivered before the end (shutdown_timeout_s: %g)", left, limit_s)

    def _tick(self) -> None:
        try:
            self.heed_choice()
            self._health.report_if_due()
            for tick in self._ticks:
                tick()
        except Exception as error:
            self._guard.caught("report", error)

    def _exit_budget_s(self) -> float:
        now = time.monotonic()
        if self._exit_deadline is None:
            self._exit_deadline = now + max(0.0, self.policy.delivery.shutdown_timeout_s - EXIT_MARGIN_S)
        return max(0.0, self._exit_deadline - now)
