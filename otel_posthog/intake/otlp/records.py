"""What a document of telemetry holds, as plain values: those parts of spans and log records that are read here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.model import NO_ATTRIBUTES, Attributes

MAX_DEPTH = 32
"""Levels of nesting in one value; the SDK's own limit for what it lets an app record is lower."""


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """An event of a span.

    Attributes:
        name: Its name.
        attributes: Its attributes.
        timestamp: Unix nanoseconds; called as the SDK's is, for both to be read by the same code.
    """

    name: str
    attributes: Attributes
    timestamp: int


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """A span.

    Attributes:
        name: Its name.
        attributes: Its attributes.
        trace_id: Never 0.
        span_id: Never 0.
        end_ns: Unix nanoseconds.
        events: In the order of the document.
        status_message: Empty where there is none.
        resource: The attributes of the resource that emitted it.
        dropped_attributes: How many attributes the limits of the SDK had evicted.
    """

    name: str
    attributes: Attributes
    trace_id: int
    span_id: int
    end_ns: int
    events: tuple[SpanEvent, ...]
    status_message: str
    resource: Attributes
    dropped_attributes: int = 0


class LogRecord(NamedTuple):
    """A log record; a named tuple, since a gateway makes one for every event.

    Attributes:
        event_name: Empty where it has none.
        attributes: Its attributes.
        body: Any value.
        time_ns: Unix nanoseconds; 0 where unknown.
        observed_ns: When it was observed; 0 where unknown.
        trace_id: 0 outside a trace.
        span_id: 0 outside a span.
        resource: The attributes of the resource that emitted it.
        dropped_attributes: How many attributes the limits of the SDK had evicted.
    """

    event_name: str
    attributes: Attributes
    body: object
    time_ns: int
    observed_ns: int
    trace_id: int
    span_id: int
    resource: Attributes
    dropped_attributes: int = 0


Record = SpanRecord | LogRecord

OPERATIONAL = LogRecord("", NO_ATTRIBUTES, None, 0, 0, 0, 0, NO_ATTRIBUTES)
"""Stands for a span or log record of which a reader saw at once that nothing in it belongs to the product side."""

OnMalformed = Callable[[MalformedTelemetry], None]
"""Called with what is wrong with one span or log record, which is left out; without one a reader raises it."""
