"""One item in, all about it out: the same stages that run in an app, with a receipt, and nowhere to send to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

from otel_posthog.apps.explain.explanation import Explanation, ProductEvent, Sent
from otel_posthog.apps.explain.items import Item
from otel_posthog.apps.explain.metric_point import MetricPoint
from otel_posthog.apps.explain.operational_side import OperationalSide
from otel_posthog.apps.explain.plain_events import BARE_NAME, signal_of
from otel_posthog.clean import Cleaner
from otel_posthog.errors import DropEvent
from otel_posthog.health import Health
from otel_posthog.identity import KeyRing, Pseudonyms
from otel_posthog.intake.otlp import LogRecord, SpanRecord, signals_of
from otel_posthog.model import EXCEPTION_EVENT, Event, Receipt, Signal, Source
from otel_posthog.policy import Destination, Policy
from otel_posthog.route import EVENT, PREFIX
from otel_posthog.text import visible
from otel_posthog.translate import translate, with_exception

INSTALLATION = "(id of the installation)"
"""Stands for the id of the installation that the app runs in, which is not this command's to make or read."""


class Explainer:
    """Explains items under one policy.

    Args:
        policy: What may leave; whether its destinations have a key does not matter.
        keys: The keys of the mode `pseudonymous`, where there are some.
        now_ns: The time of events that tell none, in Unix nanoseconds.
    """

    def __init__(
        self, policy: Policy, *, keys: KeyRing | None = None, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.policy, self._now_ns = policy, now_ns
        self._cleaner = Cleaner(policy, installation_id=INSTALLATION, health=Health(), pseudonyms=Pseudonyms(keys=keys))
        self._operational = OperationalSide(policy)

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
        signals = signals_of(content, lambda: self.policy.exceptions)
        made = replace(made, operational=self._operational.of(content))
        return self._with_events(made, [(signal, _reason(signal)) for signal in signals])

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
        notes: list[str] = []
        try:
            events = with_exception(translate(signal, notes.append), signal, self.policy.exceptions.mode)
        except DropEvent as drop:
            return [], [drop.reason]
        return [
            ProductEvent(
                name=event.name,
                reason=reason if number == 0 else _further(event),
                properties=event.properties,
                telemetry=event.telemetry,
                who=_who(event),
                notes=tuple(notes) if number == 0 else (),
                sent=tuple(self._sent(event, each) for each in self.policy.destinations),
            )
            for number, event in enumerate(events)
        ], []

    def _sent(self, event: Event, destination: Destination) -> Sent:
        receipt, body, dropped = Receipt(is_detailed=True), None, ""
        try:
            body = json.loads(self._cleaner.clean(event, destination, receipt).body)
        except DropEvent as drop:
            dropped = drop.reason
        mode = self.policy.identity_of(destination)
        return Sent(visible(destination.name), mode.value, body, dropped, tuple(receipt.entries), receipt.policy)


def _reason(signal: Signal) -> str:
    if EVENT in signal.attributes:
        return f"it has the attribute {EVENT}"
    if signal.name == EXCEPTION_EVENT:
        return "an exception was recorded, and the policy tells of it"
    return f"the name of the {'span event' if signal.source is Source.SPAN_EVENT else 'record'} begins with {PREFIX}"


def _further(event: Event) -> str:
    if event.name == EXCEPTION_EVENT:
        return "an exception was recorded with it"
    return "it says something about a person or a group"


def _who(event: Event) -> dict[str, object]:
    subject = event.subject
    said = {
        "user id": subject.user_id,
        "session id": subject.session_id,
        "consent": subject.consent,
        **{f"group {kind}": key for kind, key in subject.groups.items()},
        **{f"$set {key}": value for key, value in subject.person_set.items()},
        **{f"$set_once {key}": value for key, value in subject.person_set_once.items()},
    }
    return {key: value for key, value in said.items() if value is not None}
