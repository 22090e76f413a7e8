"""The count of what a file held and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from otel_posthog.apps.explain.explanation import Explanation, Sent


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
