"""One item in, all about it out: the stages that run in an app, with a detailed receipt, and nowhere to send to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from otel_posthog.apps.explain.items import BARE_NAME, Item, signal_of
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import KeyRing, Pseudonyms
from otel_posthog.inspection.explanation import Explanation, MetricPoint, ProductEvent
from otel_posthog.inspection.form import Values
from otel_posthog.inspection.operational import OperationalSide
from otel_posthog.inspection.outcomes import product_events, why_none
from otel_posthog.inspection.trial import Item as Tried
from otel_posthog.inspection.trial import Trial
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import Signal
from otel_posthog.operational import Redactor
from otel_posthog.policy import Destination, Policy
from otel_posthog.privacy import Filter
from otel_posthog.recogniser import EVENT, PREFIX, Recogniser
from otel_posthog.stages import Stages

INSTALLATION = "(id of the installation)"
"""Stands for the id of the installation that the app runs in, which is not this command's to make or read."""


class Explainer:
    """Explains items under one policy.

    Args:
        policy: What may leave; whether its destinations have a key does not matter.
        keys: The keys of the mode `pseudonymous`, where there are some.
        now_ns: The time of events that have none, in Unix nanoseconds.
    """

    def __init__(
        self, policy: Policy, *, keys: KeyRing | None = None, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.policy, self._now_ns = policy, now_ns
        self._notes: list[str] = []
        # Destinations are explained without a key, too; these counts are not read.
        self._stages = Stages(
            policy,
            installation_id=INSTALLATION,
            health=Health(),
            guard=Guard(Health()),
            pseudonyms=Pseudonyms(keys=keys),
            destinations=policy.destinations,
            is_detailed=True,
            note=self._notes.append,
        )
        redactor = Redactor(policy.operational, Filter(policy.operational_privacy), Guard(Health()))
        self._operational = OperationalSide(redactor, Filter(policy.privacy))
        self._recogniser = Recogniser(_unsampled(policy))

    def explain(self, item: Item) -> Explanation:
        """Return all about `item`."""
        content = item.content
        if isinstance(content, MetricPoint):
            made = Explanation(item.line, "metric", content.name, "a metric is no product event")
            return replace(made, operational=self._operational.of_metric(content))
        if isinstance(content, SpanRecord):
            made = Explanation(item.line, "span", content.name, f"it has no attribute {EVENT}")
        elif isinstance(content, LogRecord):
            reason = f"it has no attribute {EVENT}, and no event name that begins with {PREFIX}"
            made = Explanation(item.line, "log", content.event_name, reason)
        else:
            signal = signal_of(content, self._now_ns())
            reason = "its properties, as those of an event" if signal.name == BARE_NAME else "it is written as an event"
            return self._with_events(Explanation(item.line, "event", signal.name, reason), [(signal, reason)])
        signals = record_signals(content, self._recogniser)
        made = replace(made, operational=self._operational.of(content))
        return self._with_events(made, [(each, self._recogniser.reason(each.rule, each.source)) for each in signals])

    def tried(self, seq: int, item: Item) -> Tried:
        """Return `item` as rules are tried on it, with its number."""
        content = item.content
        if isinstance(content, MetricPoint):
            return Tried(seq, None, ())
        if isinstance(content, (SpanRecord, LogRecord)):
            return Tried(seq, content, record_signals(content, self._recogniser))
        return Tried(seq, None, (signal_of(content, self._now_ns()),))

    def trial(self, values: Values) -> Trial:
        """Return what tries rules under this policy."""
        return Trial(self.policy, self._operational, values)

    def _with_events(self, made: Explanation, signals: list[tuple[Signal, str]]) -> Explanation:
        events: list[ProductEvent] = []
        dropped: list[str] = []
        for signal, reason in signals:
            found, why_not = self._events(signal, reason)
            events += found
            dropped += why_not
        return replace(made, events=tuple(events), dropped=tuple(dropped))

    def _events(self, signal: Signal, reason: str) -> tuple[list[ProductEvent], list[str]]:
        """Return the events of `signal`, or why there are none."""
        self._notes.clear()
        outcomes = self._stages.outcomes(signal)
        found = product_events(outcomes, reason, self._notes, self._mode, self._stages.revision)
        return list(found), why_none(outcomes)

    def _mode(self, destination: Destination) -> str:
        return self.policy.identity_of(destination).value


def _unsampled(policy: Policy) -> Policy:
    """Return `policy` with its rules for every trace: what is asked is what an item would be."""
    whole = (each if isinstance(each, str) else replace(each, sample=1.0) for each in policy.derive)
    return replace(policy, derive=tuple(whole))
