"""One item in, all about it out: the stages that run in an app, with a detailed receipt, and nowhere to send to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from otel_posthog.apps.explain.items import BARE_NAME, Item, signal_of
from otel_posthog.apps.explain.records import MetricPoint
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import KeyRing, Pseudonyms
from otel_posthog.inspection.explanation import Explanation, Kept, Operational, ProductEvent, Sent
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import EXCEPTION_EVENT, GONE, Attributes, Event, Signal
from otel_posthog.operational import Redactor
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.recogniser import EVENT, PREFIX, Recogniser, is_only_product_event, is_only_product_log
from otel_posthog.stages import Outcome, Stages
from otel_posthog.text import visible

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
        self._modes = {each.name: policy.identity_of(each).value for each in policy.destinations}
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
        self._operational, self._recogniser = _OperationalSide(policy), Recogniser(_unsampled(policy))

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
        events: list[ProductEvent] = []
        for event, of_event in groupby(outcomes, lambda each: each.event):
            if event is not None:
                sent = tuple(self._sent(each) for each in of_event)
                why, notes = (_further(event), ()) if events else (reason, tuple(self._notes))
                events.append(_product_event(event, why, notes, sent, signal.rule))
        return events, [each.reason for each in outcomes if each.event is None]

    def _sent(self, outcome: Outcome) -> Sent:
        """Return what one destination gets of one event."""
        name = "" if outcome.destination is None else outcome.destination.name
        return Sent(
            destination=visible(name),
            identity=self._modes[name],
            event=json.loads(outcome.clean.body) if outcome.clean else None,
            dropped=outcome.reason,
            changes=tuple(outcome.receipt.entries) if outcome.receipt else (),
            policy=self._stages.revision,
        )


def _unsampled(policy: Policy) -> Policy:
    """Return `policy` with its rules for every trace: what is asked is what an item would be."""
    whole = (each if isinstance(each, str) else replace(each, sample=1.0) for each in policy.derive)
    return replace(policy, derive=tuple(whole))


class _OperationalSide:
    """The operational side of one policy.

    Args:
        policy: Which keys name a user, and whether the detectors run.
    """

    def __init__(self, policy: Policy) -> None:
        self._redactor = Redactor(policy.operational, Filter(policy.operational_privacy), Guard(Health()))

    def of(self, record: SpanRecord | LogRecord) -> Operational:
        """Return what it gets of `record`."""
        if isinstance(record, SpanRecord):
            return Operational("", tuple(self._span(record)))
        if is_only_product_log(record.event_name or None, record.attributes, record.body):
            return Operational("it is nothing but a product event", ())
        return Operational("", tuple(self._log(record)))

    def of_metric(self, point: MetricPoint) -> Operational:
        """Return what it gets of `point`, but for its number."""
        return Operational("", tuple(self._metric(point)))

    def _span(self, record: SpanRecord) -> Iterator[Kept]:
        yield self._text("name", record.name)
        if record.status_message:
            yield self._text("status.message", record.status_message)
        yield from self._attributes("", record.attributes)
        for event in record.events:
            if not is_only_product_event(event.name, event.attributes):
                yield self._text("event", event.name)
                yield from self._attributes("event.", event.attributes)
            else:
                yield Kept("event", event.name, None)
        yield from self._attributes("resource.", record.resource)

    def _log(self, record: LogRecord) -> Iterator[Kept]:
        if record.event_name:
            yield self._text("event_name", record.event_name)
        if isinstance(record.body, str):
            yield self._text("body", record.body)
        elif record.body is not None:
            left = self._redactor.value("body", record.body)
            yield Kept("body", record.body, None if left is GONE else left)
        yield from self._attributes("", record.attributes)
        yield from self._attributes("resource.", record.resource)

    def _metric(self, point: MetricPoint) -> Iterator[Kept]:
        yield self._text("name", point.name)
        if point.description:
            yield self._text("description", point.description)
        yield from self._attributes("", point.attributes)
        yield from self._attributes("resource.", point.resource)

    def _text(self, key: str, text: str) -> Kept:
        return Kept(key, text, self._redactor.text(text))

    def _attributes(self, prefix: str, attributes: Attributes) -> Iterator[Kept]:
        clean: Mapping[str, object] = self._redactor.attributes(attributes)
        for key, value in attributes.items():
            yield Kept(prefix + self._redactor.text(key), value, clean.get(key))


def _product_event(
    event: Event, reason: str, notes: tuple[str, ...], sent: tuple[Sent, ...], rule: str
) -> ProductEvent:
    return ProductEvent(event.name, reason, event.properties, event.telemetry, _who(event), notes, sent, rule)


def _further(event: Event) -> str:
    if event.name == EXCEPTION_EVENT:
        return "an exception was recorded with it"
    return "it says something about a person or a group"


def _who(event: Event) -> dict[str, object]:
    subject = event.subject
    said = {
        "user id": subject.user_id,
        "session id": subject.session_id,
        "window id": subject.window_id,
        "consent": subject.consent,
        **{f"group {kind}": key for kind, key in subject.groups.items()},
        **{f"$set {key}": value for key, value in subject.person_set.items()},
        **{f"$set_once {key}": value for key, value in subject.person_set_once.items()},
    }
    return {key: value for key, value in said.items() if value is not None}
