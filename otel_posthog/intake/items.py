"""What in a span or a log record is a product item, whether it comes from the SDK or from a document.

Comes in: the attributes and events of one item. Goes out: what becomes a `Signal`, exact repeats numbered. Runs on the
application's threads, on every span: it only looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from otel_posthog.model import (
    EXCEPTION_EVENT,
    NO_ATTRIBUTES,
    Attributes,
    ContextIdentity,
    Signal,
    Source,
)
from otel_posthog.policy import ExceptionPolicy
from otel_posthog.route import has_exception, product_name

ExceptionsInForce = Callable[[], ExceptionPolicy]
"""Returns the policy on exceptions that is in force; it may change while the process runs."""


class SpanEvent(Protocol):
    """A span event, of the SDK or of a document."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def attributes(self) -> Mapping[str, Any] | None:
        """Its attributes."""

    @property
    def timestamp(self) -> int:
        """When, in Unix nanoseconds."""


@dataclass(frozen=True, slots=True)
class SpanItem:
    """A product item of a span; the fields are those of `Signal`."""

    source: Source
    name: str
    attributes: Attributes
    time_ns: int
    parent: Attributes
    observed_time_ns: int
    repeat_index: int = 0
    dropped_attributes: int = 0

    def signal(
        self, *, trace_id: int, span_id: int, resource: Attributes, context: ContextIdentity | None = None
    ) -> Signal:
        """Return the signal of this item of the span `span_id`."""
        return Signal(
            self.source,
            self.name,
            self.attributes,
            self.time_ns,
            trace_id=trace_id,
            span_id=span_id,
            resource=resource,
            context=context,
            observed_time_ns=self.observed_time_ns,
            repeat_index=self.repeat_index,
            parent=self.parent,
            dropped_attributes=self.dropped_attributes,
        )


def span_items(
    attributes: Attributes,
    events: Sequence[SpanEvent],
    end_ns: int,
    exceptions: ExceptionsInForce,
    *,
    dropped_attributes: int = 0,
) -> list[SpanItem]:
    """Return the span itself and those of its events that are product items.

    Args:
        attributes: The span's.
        events: The span's.
        end_ns: When it ended, in Unix nanoseconds.
        exceptions: Returns the policy on exceptions.
        dropped_attributes: How many of the span's attributes its limits had evicted.
    """
    name = product_name(None, attributes)
    if name is None and not events:
        return []
    own = dict(attributes)
    found: list[SpanItem] = []
    repeats: Counter[tuple[str, int]] = Counter()
    if name is not None:
        found.append(SpanItem(Source.SPAN, name, own, end_ns, NO_ATTRIBUTES, end_ns, 0, dropped_attributes))
        # A span event may bear the name of its span and the time of its end.
        repeats[name, end_ns] += 1
    for event in events:
        event_name = _event_name(event, exceptions, is_product=name is not None)
        if event_name is None:
            continue
        key, given = (event_name, event.timestamp), event.attributes or NO_ATTRIBUTES
        dropped = getattr(given, "dropped", 0)  # where they are the SDK's
        found.append(
            SpanItem(Source.SPAN_EVENT, event_name, dict(given), event.timestamp, own, end_ns, repeats[key], dropped)
        )
        repeats[key] += 1
    return found


def log_name(event_name: str | None, attributes: Attributes, exceptions: ExceptionsInForce) -> str | None:
    """Return the name of the product event that a log record is, or None for an operational one.

    Args:
        event_name: The record's.
        attributes: The record's.
        exceptions: Returns the policy on exceptions.
    """
    name = product_name(event_name, attributes)
    if name is None and has_exception(None, attributes) and exceptions().takes(is_product=False):
        return EXCEPTION_EVENT
    return name


def is_product_event(event: SpanEvent) -> bool:
    """Return whether a span event says of itself that it is a product event."""
    return product_name(event.name, event.attributes or NO_ATTRIBUTES) is not None


def _event_name(event: SpanEvent, exceptions: ExceptionsInForce, *, is_product: bool) -> str | None:
    attributes = event.attributes or NO_ATTRIBUTES
    name = product_name(event.name, attributes)
    if name is None and has_exception(event.name, attributes) and exceptions().takes(is_product=is_product):
        return EXCEPTION_EVENT
    return name
