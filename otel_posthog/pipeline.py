"""The pipeline: read this first. It joins the stages; no stage knows another.

    intake ── Signal ─▶ [hand-over queue] ─▶ translate ── Event ─▶ privacy ─▶ identity ─▶ seal ── CleanEvent ─▶ deliver

`submit` runs on application threads and only queues; `process` runs on the worker, or on the application thread when
the queue is full. Whatever a stage raises drops that one event for that one destination, counted: fail closed.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from otel_posthog import health as outcome
from otel_posthog.deliver import Delivery
from otel_posthog.errors import DropEvent, Guard
from otel_posthog.fork import run_in_child
from otel_posthog.handover import HandOver
from otel_posthog.health import Health
from otel_posthog.identity import person, without_user_id
from otel_posthog.model import CleanEvent, Event, Receipt, Signal, Subject
from otel_posthog.policy import Destination, IdentityMode, Policy
from otel_posthog.privacy import Filter, consent_given, seal
from otel_posthog.sdk import suppressed_instrumentation
from otel_posthog.translate import translate

_log = logging.getLogger("otel_posthog")

# Threads end and locks are handed on after the deadline of a wait: measured up to 0.07 s on two busy cores.
EXIT_MARGIN_S = 0.25


class Pipeline:
    """From signals to PostHog.

    Args:
        policy: What may leave, as whom, and where to.
        installation_id: The `distinct_id` of events without a user.
        health: Counts what becomes of events.
        guard: Keeps errors out of the host app.
        delivery: Sends clean events; the default sends them over HTTP.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        installation_id: str,
        health: Health,
        guard: Guard,
        delivery: Delivery | None = None,
    ) -> None:
        self.policy, self._installation_id = policy, installation_id
        self._health, self._guard = health, guard
        self._note = partial(health.count, outcome.REPAIRED)
        self._filter = Filter(policy.privacy)
        self._delivery = delivery or Delivery(policy, health, guard, suppress=suppressed_instrumentation)
        self._handover = HandOver(self._handle, self._tick, max_bytes=policy.delivery.max_queue_bytes)
        self._exit_deadline: float | None = None
        self._is_closed = False
        health.gauge("handover", lambda: self._handover.size_bytes)
        health.gauge("buffer", lambda: self._delivery.size_bytes)
        run_in_child(self.reset_after_fork)
        atexit.register(self.shutdown)

    def submit(self, signal: Signal) -> None:
        """Take `signal` over from an application thread; never raises, never waits for the network."""
        try:
            if self._is_closed:
                self._health.count(outcome.DROPPED, "after_shutdown")
            elif not self._handover.put(signal):
                self._handle(signal)
        except Exception as error:
            self._guard.caught("submit", error)

    def process(self, signal: Signal) -> Iterator[CleanEvent]:
        """Yield the clean events that `signal` becomes, one for each event and destination.

        Raises:
            DropEvent: The signal is no event; a drop at one destination is counted and leaves the others alone.
        """
        for event in translate(signal, self._note):
            for destination in self.policy.destinations:
                if not destination.api_key:
                    continue
                with self._dropping("clean"):
                    yield self._clean(event, destination)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything submitted before is delivered or finally dropped.

        Returns:
            False where `timeout_s` did not suffice; what is left is still being tried.
        """
        deadline = time.monotonic() + timeout_s
        handed_over = self._handover.flush(timeout_s)
        return self._delivery.flush(max(0.0, deadline - time.monotonic())) and handed_over

    def flush_for_exit(self) -> None:
        """Deliver what is waiting when a provider shuts down.

        All callers together have `shutdown_timeout_s`: three providers must not delay an exit three times.
        """
        if not self._is_closed:
            self.flush(self._exit_budget_s())

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
            handed_over = self._handover.flush(deadline - time.monotonic())
            self._is_closed = True
            self._handover.close()
            done = self._delivery.shutdown(max(0.0, deadline - time.monotonic())) and handed_over
            self._tell_left()
            return done
        except Exception as error:
            self._guard.caught("shutdown", error)
            return False

    def reset_after_fork(self) -> None:
        """Leave to the parent what it will deliver, and start with nothing."""
        self._health.reset_after_fork()
        self._handover.reset_after_fork()

    def _handle(self, signal: Signal) -> None:
        self._health.count(outcome.RECEIVED, signal.source.value)
        with self._dropping("translate"):
            for event in self.process(signal):
                self._delivery.submit(event)

    def _clean(self, event: Event, destination: Destination) -> CleanEvent:
        """Run one event through privacy and identity for one destination."""
        policy, receipt = self.policy, Receipt()
        if not consent_given(event.subject, required=policy.collection.consent_required):
            raise DropEvent("consent")
        properties = {
            **self._filter.telemetry(event.telemetry, receipt),
            **self._filter.properties(event.properties, receipt),
        }
        mode, subject = policy.identity_of(destination), event.subject
        if mode is IdentityMode.ANONYMOUS:
            properties = without_user_id(properties, subject.user_id, receipt)
        else:
            subject = self._clean_subject(subject, receipt)
        if policy.trace_url and event.trace_id:
            properties["trace_url"] = policy.trace_url.format(trace_id=event.trace_id, span_id=event.span_id or "")
        who = person(
            subject,
            mode,
            installation_id=self._installation_id,
            time_ns=event.time_ns,
            note=self._note,
        )
        name = self._filter.name(event.name, receipt)
        for _, rule, action in receipt.entries:
            self._health.count(action, rule)
        limit = policy.delivery.max_event_bytes
        return seal(event, who, name, properties, destination=destination.name, max_event_bytes=limit)

    def _clean_subject(self, subject: Subject, receipt: Receipt) -> Subject:
        """Return `subject` with everything but the user id filtered; that is the identity mode's to decide."""
        clean = partial(self._filter.properties, receipt=receipt)
        session_id = clean({"session_id": subject.session_id}).get("session_id") if subject.session_id else None
        return replace(
            subject,
            session_id=session_id if isinstance(session_id, str) else None,
            groups={key: str(value) for key, value in clean(subject.groups).items()},
            person_set=clean(subject.person_set),
            person_set_once=clean(subject.person_set_once),
        )

    @contextlib.contextmanager
    def _dropping(self, place: str) -> Iterator[None]:
        """Drop and count the event on any error inside."""
        try:
            yield
        except DropEvent as drop:
            self._health.count(outcome.DROPPED, drop.reason)
        except Exception as error:
            self._health.count(outcome.DROPPED, f"error_in_{place}")
            self._guard.caught(place, error)

    def _tell_left(self) -> None:
        """Count and tell what the process takes with it; PostHog may have the last batch all the same."""
        left = self._delivery.outstanding
        if left:
            self._health.count(outcome.DROPPED, "exit", left)
            limit_s = self.policy.delivery.shutdown_timeout_s
            _log.warning("%d product events were not delivered before the end (shutdown_timeout_s: %g)", left, limit_s)

    def _tick(self) -> None:
        try:
            self._health.report_if_due()
        except Exception as error:
            self._guard.caught("report", error)

    def _exit_budget_s(self) -> float:
        now = time.monotonic()
        if self._exit_deadline is None:
            self._exit_deadline = now + max(0.0, self.policy.delivery.shutdown_timeout_s - EXIT_MARGIN_S)
        return max(0.0, self._exit_deadline - now)
