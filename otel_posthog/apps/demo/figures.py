"""What a run of the demo shows, in figures; `None` where only a server of the user's own could know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at a run.

    Attributes:
        requests: Requests that the helpdesk answered.
        product_events_expected: Product events that these must yield, by the traffic's own count.
        product_events_delivered: Different events that the embedded PostHog received.
        duplicates: Events that it received more than once.
        operational_spans: Spans that the OTLP sink received; likewise metrics (by name) and logs.
        operational_items_with_product_attributes: How many of those carry anything named `analytics.`.
        planted_values: Different personal values that the requests carried.
        planted_values_seen_by_posthog: How many of those stand in the bytes that PostHog received; likewise OTLP.
        seconds: Wall time of the run.
        spans_of_all_requests: Spans that the app started, by the SDK's own count: what `always_on` would export; None
            while that count, which is told every two seconds, is behind what has arrived.
        expected_by_name: `product_events_expected`, by event name; likewise delivered.
        surprises: Answers of the helpdesk that the script did not expect.
        leaks_to_posthog: Kind and surroundings of each planted value seen; likewise OTLP.
    """

    requests: int = 0
    product_events_expected: int = 0
    product_events_delivered: int | None = None
    duplicates: int | None = None
    operational_spans: int | None = None
    operational_metrics: int | None = None
    operational_logs: int | None = None
    operational_items_with_product_attributes: int | None = None
    planted_values: int = 0
    planted_values_seen_by_posthog: int | None = None
    planted_values_seen_by_otlp: int | None = None
    seconds: float = 0.0
    spans_of_all_requests: int | None = None
    expected_by_name: Mapping[str, int] = field(default_factory=dict)
    delivered_by_name: Mapping[str, int] = field(default_factory=dict)
    surprises: tuple[str, ...] = ()
    leaks_to_posthog: tuple[str, ...] = ()
    leaks_to_otlp: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether product events are still on their way."""
        delivered = self.product_events_delivered
        return delivered is not None and delivered < self.product_events_expected

    def to_json(self) -> str:
        """Return one line of JSON; the fields' order is that of its keys."""
        return json.dumps(asdict(self))
