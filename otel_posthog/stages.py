"""Translate and clean as one step: a signal in, what became of it at each destination out.

The worker takes it signal by signal, an application thread too when the queue is full; the gateway takes many signals
at once, `explain` one of a file. Whatever a stage raises drops that one event for that one destination, with a reason
that is counted: fail closed. Nothing is raised to the caller, and nothing is kept. It never changes: another policy is
another `Stages`, put in this one's place between two signals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from otel_posthog import health as count
from otel_posthog.clean import Cleaner, Planned
from otel_posthog.derived_limits import Limits
from otel_posthog.errors import DropEvent, Guard
from otel_posthog.event_names import EventNames
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.model import CleanEvent, Event, Note, Receipt, Signal, Source
from otel_posthog.plans import Plans
from otel_posthog.policy import Destination, Policy
from otel_posthog.translate import translate, with_exception
from otel_posthog.translate.vocabulary import DESTINATIONS_KEY


class Outcome(NamedTuple):
    """What became of one event at one destination; of a signal that is no event, that alone.

    Signal and event are not filtered: an outcome is looked at in memory, and neither stored nor sent nor logged.

    Attributes:
        signal: What came in.
        reason: Why there is no clean event; empty where there is one.
        clean: What is sent.
        event: What privacy and identity were given; None where the signal is no event, and where it went by its plan:
            then `with_events` makes it.
        destination: Where the event was to go; None where the signal is no event.
        receipt: Which privacy rule did what to which key of the event.
    """

    signal: Signal
    reason: str
    clean: CleanEvent | None = None
    event: Event | None = None
    destination: Destination | None = None
    receipt: Receipt | None = None


Show = Callable[[Sequence[Outcome]], object]
"""Called with what became of signals, before anything is sent."""


class Stages:
    """The stages under one policy; immutable, safe to share between threads.

    Args:
        policy: What may leave, as whom, and where to.
        installation_id: The `distinct_id` of events without a user.
        health: Counts what came, what was dropped and what privacy did.
        guard: Counts what a stage raised that is no decision of its own.
        pseudonyms: Stand for ids in the modes that do not send them.
        destinations: Those to clean for, where these are others than the policy's that have a key.
        is_detailed: Whether receipts list what was never on the allow-list, too.
        note: Told what of a signal could not be taken as it was given, in place of `health`.
        limits: How many events a derive rule makes; where not given, as many as there are.

    Attributes:
        cleaner: Makes one event clean for one destination.
        revision: Of the policy, as receipts and counts have it.
    """

    def __init__(  # noqa: PLR0913 - most of the last five for explain
        self,
        policy: Policy,
        *,
        installation_id: str,
        health: Health,
        guard: Guard,
        pseudonyms: Pseudonyms | None = None,
        destinations: Sequence[Destination] | None = None,
        is_detailed: bool = False,
        note: Note | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.cleaner = Cleaner(policy, installation_id=installation_id, health=health, pseudonyms=pseudonyms)
        self.revision = self.cleaner.revision
        self._destinations = self.cleaner.destinations if destinations is None else tuple(destinations)
        self._exceptions, self._is_detailed = policy.exceptions.mode, is_detailed
        self._health, self._guard, self._limits = health, guard, limits
        self._note = note or partial(health.count, count.REPAIRED)
        self._names = EventNames(self.cleaner, health) if policy.operational.event_names and not is_detailed else None
        # A detailed receipt lists what plans do not look at.
        self._plans = None if is_detailed else Plans(self.cleaner, self._destinations, self._note)

    def cleaned(self, signal: Signal, show: Show | None = None) -> tuple[list[CleanEvent], list[str]]:
        """Return what is sent of `signal`, and the reasons why the rest of it is not.

        Args:
            signal: What came in.
            show: Gets the outcomes, where somebody looks on.
        """
        if show:
            return _split(self.seen(signal), show)
        planned = self._planned(signal)
        if planned is None:
            return _split(self.outcomes(signal), None)
        self._health.count(count.RECEIVED, signal.source.value)
        events, reasons = list[CleanEvent](), list[str]()
        self._clean_planned(signal, planned, events, reasons)
        return events, reasons

    def _planned(self, signal: Signal) -> list[Planned] | None:
        """Return `signal` as a plan has it; None where the plain way is to decide, also where a plan fails."""
        if self._plans is None or (self._limits is not None and self._limits.holds_for(signal.rule)):
            return None
        try:
            return self._plans.planned(signal)
        except Exception as error:
            self._guard.caught("plans", error)
            return None

    def _clean_planned(
        self, signal: Signal, planned: Sequence[Planned], events: list[CleanEvent], reasons: list[str]
    ) -> None:
        """Add what is sent of a planned signal to `events`, and the reasons why the rest is not to `reasons`."""
        before = len(events)
        for each in planned:
            try:
                events.append(self.cleaner.clean_planned(each))
            except Exception as error:  # noqa: PERF203 - one event that fails takes no other with it
                reasons.append(self._dropped("clean", error))
        if self._names is not None:
            self._tell_names(signal, events[before:])

    def cleaned_of_all(self, signals: Sequence[Signal], show: Show | None = None) -> tuple[list[CleanEvent], list[str]]:
        """Return what is sent of `signals`, and the reasons why the rest is not, as `cleaned`.

        Args:
            signals: What came in.
            show: Gets the outcomes, where somebody looks on.
        """
        if show:
            return _split([each for signal in signals for each in self.seen(signal)], show)
        events, reasons = list[CleanEvent](), list[str]()
        received: Counter[Source] = Counter()
        for signal in signals:
            planned = self._planned(signal)
            if planned is None:
                made, dropped = _split(self.outcomes(signal), None)
                events += made
                reasons += dropped
            else:
                received[signal.source] += 1
                self._clean_planned(signal, planned, events, reasons)
        for source, number in received.items():
            self._health.count(count.RECEIVED, source.value, number)
        return events, reasons

    def outcomes(self, signal: Signal) -> list[Outcome]:
        """Return what becomes of `signal`: an outcome for each of its events and each destination."""
        self._health.count(count.RECEIVED, signal.source.value)
        return self._cleaned(signal, self._translated(signal))

    def seen(self, signal: Signal) -> list[Outcome]:
        """Return what becomes of `signal`, for who looks on: by its plan where it has one, and with no event then."""
        planned = self._planned(signal)
        if planned is None:
            return self.outcomes(signal)
        self._health.count(count.RECEIVED, signal.source.value)
        outcomes = [self._outcome_by_plan(signal, each) for each in planned]
        if self._names is not None:
            self._tell_names(signal, clean_events(outcomes))
        return outcomes

    def _translated(self, signal: Signal) -> tuple[Event, ...] | str:
        """Return the events that `signal` stands for, or the reason why it stands for none."""
        try:
            events = with_exception(translate(signal, self._note), signal, self._exceptions)
            if self._limits is not None and events:
                self._limits.admit(signal.rule, events[0])
            return events
        except Exception as error:
            return self._dropped("translate", error)

    def _cleaned(self, signal: Signal, events: tuple[Event, ...] | str) -> list[Outcome]:
        if isinstance(events, str):
            return [Outcome(signal, events)]
        destinations = self._meant(signal)
        if events and not destinations and self._destinations:
            return [Outcome(signal, self._dropped("clean", DropEvent("destination_unknown")))]
        outcomes = [self._outcome(signal, event, each) for event in events for each in destinations]
        if self._names is not None:
            self._tell_names(signal, clean_events(outcomes))
        if self._limits is not None and events and not any(each.clean for each in outcomes):
            self._limits.forget(signal.rule, events[0])
        return outcomes

    def _tell_names(self, signal: Signal, made: Sequence[CleanEvent]) -> None:
        try:
            if self._names is not None:
                self._names.count(signal, made)
        except Exception as error:  # a metric is no reason to drop an event
            self._guard.caught("event_names", error)

    def _meant(self, signal: Signal) -> Sequence[Destination]:
        """Return the destinations that `signal` is for: all of them, unless it names some."""
        named = signal.attributes.get(DESTINATIONS_KEY)
        if named is None:
            return self._destinations
        names = (named,) if isinstance(named, str) else named
        return [each for each in self._destinations if isinstance(names, (tuple, list)) and each.name in names]

    def _outcome(self, signal: Signal, event: Event, destination: Destination) -> Outcome:
        receipt = Receipt(is_detailed=self._is_detailed)
        try:
            clean = self.cleaner.clean(event, destination, receipt)
        except Exception as error:
            return Outcome(signal, self._dropped("clean", error), None, event, destination, receipt)
        return Outcome(signal, "", clean, event, destination, receipt)

    def _outcome_by_plan(self, signal: Signal, planned: Planned) -> Outcome:
        try:
            clean, reason = self.cleaner.clean_planned(planned), ""
        except Exception as error:
            clean, reason = None, self._dropped("clean", error)
        return Outcome(signal, reason, clean, None, planned.destination, planned.receipt)

    def _dropped(self, place: str, error: Exception) -> str:
        """Count what `error` drops and return the reason, whether a stage decided so or failed."""
        is_decided = isinstance(error, DropEvent)
        reason = error.reason if isinstance(error, DropEvent) else f"error_in_{place}"
        self._health.count(count.DROPPED, reason)
        if not is_decided:
            self._guard.caught(place, error)
        return reason


def _split(outcomes: Sequence[Outcome], show: Show | None) -> tuple[list[CleanEvent], list[str]]:
    """Return what is sent of `outcomes` and why the rest is not, once `show` has seen them."""
    if show:
        show(outcomes)
    return clean_events(outcomes), drop_reasons(outcomes)


def with_events(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return the outcomes of one signal with its events, also where it went by its plan.

    Translated again, a signal is the same event. On any thread; nothing of it is counted.
    """
    if outcomes[0].event is not None or outcomes[0].destination is None:
        return outcomes
    (event,) = translate(outcomes[0].signal, lambda _: None)
    return [each._replace(event=event) for each in outcomes]


def clean_events(outcomes: Iterable[Outcome]) -> list[CleanEvent]:
    """Return what is sent of `outcomes`."""
    return [each.clean for each in outcomes if each.clean is not None]


def drop_reasons(outcomes: Iterable[Outcome]) -> list[str]:
    """Return why the rest of `outcomes` is not sent."""
    return [each.reason for each in outcomes if each.clean is None]
