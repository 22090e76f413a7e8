"""Read off the embedded servers what has arrived so far, and what of it should not have."""

from __future__ import annotations

import time
from collections import Counter

from otel_posthog.apps.demo.figures import Figures
from otel_posthog.apps.demo.leaks import LeakSearch
from otel_posthog.apps.demo.planted import customers, owner
from otel_posthog.apps.demo.receivers import Receivers
from otel_posthog.apps.demo.separation import product_items
from otel_posthog.apps.demo.tally import Tally
from otel_posthog.testing import OtlpSink

SPANS_STARTED = "otel.sdk.span.started"
"""The SDK's own counter; it counts the spans that the sampler leaves out as well."""


class Observer:
    """Turns a tally and two servers into figures, as often as asked."""

    def __init__(self, tally: Tally, receivers: Receivers, seed: int) -> None:
        self._tally = tally
        self._receivers = receivers
        self._started_s = time.monotonic()
        everything = [value for customer in customers(seed) for value in customer.values()] + [owner(seed)]
        self._at_posthog = LeakSearch(everything)
        self._at_otlp = LeakSearch(everything)

    def look(self) -> Figures:
        """Return the figures of this moment."""
        # What has arrived first, what was to arrive after it: the other way round more may be there than is expected.
        posthog, otlp = self._receivers.posthog, self._receivers.otlp
        delivered = Counter(event.event for event in posthog.unique_events) if posthog else Counter[str]()
        spans = len(otlp.spans) if otlp else None
        tally = self._tally
        return Figures(
            requests=tally.requests,
            product_events_expected=tally.expected_events,
            product_events_delivered=delivered.total() if posthog else None,
            duplicates=posthog.duplicates if posthog else None,
            operational_spans=spans,
            operational_metrics=len({metric.name for metric in tuple(otlp.metrics)}) if otlp else None,
            operational_logs=len(otlp.logs) if otlp else None,
            operational_items_with_product_attributes=product_items(otlp) if otlp else None,
            planted_values=len(tally.planted),
            planted_values_seen_by_posthog=self._at_posthog.look(posthog.raw_bytes) if posthog else None,
            planted_values_seen_by_otlp=self._at_otlp.look(otlp.raw_bytes) if otlp else None,
            seconds=round(time.monotonic() - self._started_s, 1),
            spans_of_all_requests=_spans_started(otlp, spans or 0) if otlp else None,
            expected_by_name=dict(tally.events),
            delivered_by_name=dict(delivered),
            surprises=tuple(tally.surprises),
            leaks_to_posthog=_leaks(self._at_posthog),
            leaks_to_otlp=_leaks(self._at_otlp),
        )


def _leaks(search: LeakSearch) -> tuple[str, ...]:
    return tuple(f"{value.kind}: {excerpt}" for value, excerpt in search.seen.items())


def _spans_started(sink: OtlpSink, exported: int) -> int | None:
    """Return the newest total of the SDK's counter, summed over its attributes; None while it lags behind the spans."""
    newest = {
        tuple(sorted(map(str, attributes.items()))): value
        for metric in tuple(sink.metrics)
        if metric.name == SPANS_STARTED
        for attributes, value in metric.points
    }
    total = int(sum(newest.values()))
    return total if total >= max(1, exported) else None
