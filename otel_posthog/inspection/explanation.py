"""What is found out about one item, and the count over all items: plain values, for the views to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from otel_posthog.model import Attributes

Change = tuple[str, str, str]
"""(key, rule, action), as a receipt has it: the key is safe to show, and there is never a value."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What one destination gets of one event.

    Attributes:
        destination: Its name.
        identity: Its identity mode.
        event: The event as PostHog gets it; None where it gets none.
        dropped: Why it gets none; empty otherwise.
        changes: What was done to which key.
        policy: The version of the policy that did it.
    """

    destination: str
    identity: str
    event: Mapping[str, object] | None
    dropped: str
    changes: tuple[Change, ...]
    policy: str = ""


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """A product event.

    Attributes:
        name: As the app wrote it.
        reason: Why it is one.
        properties: What the app declared, unfiltered.
        telemetry: The other attributes, unfiltered.
        who: What it says of who acts (`user id`, `session id`, ...), unfiltered.
        notes: What could not be taken as it was given (`timestamp_invalid`, ...).
        sent: One for each destination.
        rule: The `id` of the recogniser's rule that says it is one; empty where nobody asked it.
    """

    name: str
    reason: str
    properties: Mapping[str, object]
    telemetry: Mapping[str, object]
    who: Mapping[str, object]
    notes: tuple[str, ...]
    sent: tuple[Sent, ...]
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """One text or attribute on the operational side; `after` is None where it was taken off."""

    key: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Operational:
    """What the operational side gets of an item.

    Attributes:
        withheld: Why it gets nothing; empty where it gets something.
        parts: Its texts and attributes, with what became of each.
        leaving: Those attributes that would leave in an event too, as they would.
    """

    withheld: str
    parts: tuple[Kept, ...]
    leaving: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """All about one item.

    Attributes:
        line: Where its document begins; None where it is not of a file.
        kind: `span`, `log`, `metric` or `event`.
        name: The span's or the record's own name; empty where it has none.
        dropped: Why what says it is a product event is none; empty otherwise.
        reason: Why it is not one, where it is not.
        events: The product events that it holds.
        operational: None for an event that was not read from telemetry.
    """

    line: int | None
    kind: str
    name: str
    reason: str
    dropped: tuple[str, ...] = ()
    events: tuple[ProductEvent, ...] = ()
    operational: Operational | None = field(default=None)


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One point of a metric, but for its number.

    Attributes:
        name: Of the metric.
        description: Of the metric.
        attributes: Of the point.
        resource: The attributes of the resource that emitted it.
    """

    name: str
    description: str
    attributes: Attributes
    resource: Attributes


@dataclass(slots=True)
class Summary:
    """What has been explained so far.

    Attributes:
        items: Spans, log records and events.
        operational: Those of them that hold no product event.
        events: Product events.
        invalid: Items that say they are product events and are none, by reason.
        sent: How many each destination gets.
        dropped: (destination, reason) -> how many it does not get.
        actions: (rule, action) -> how often.
        policy: The version of the policy that it was explained under.
    """

    items: int = 0
    operational: int = 0
    events: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    policy: str = ""

    def add(self, explanation: Explanation) -> None:
        """Count `explanation`."""
        self.items += 1
        self.events += len(explanation.events)
        self.invalid.update(explanation.dropped)
        self.operational += not explanation.events and not explanation.dropped
        for event in explanation.events:
            for sent in event.sent:
                self._add_sent(sent)

    def _add_sent(self, sent: Sent) -> None:
        self.policy = sent.policy
        if sent.event is None:
            self.dropped[sent.destination, sent.dropped] += 1
        else:
            self.sent[sent.destination] += 1
        self.actions.update((rule, action) for _, rule, action in sent.changes)
