"""What a document of telemetry holds, as plain values: those parts of spans and log records that are read here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.model import NO_ATTRIBUTES, Attributes

MAX_DEPTH = 32
"""Levels of nesting in one value; the SDK's own limit for what it lets an app record is lower."""

SPAN_KINDS = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
"""By their numbers in OTLP; one that is not said is an internal span."""

STATUS_CODES = ("UNSET", "OK", "ERROR")
"""By their numbers in OTLP."""


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


class SpanRecord(NamedTuple):
    """A span; a named tuple, as a log record is, since a gateway makes one for every event.

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
        start_ns: Unix nanoseconds; 0 where unknown.
        kind: One of `SPAN_KINDS`.
        status_code: One of `STATUS_CODES`.
        scope_name: Of the instrumentation scope; empty where it has none.
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
    start_ns: int = 0
    kind: str = SPAN_KINDS[0]
    status_code: str = STATUS_CODES[0]
    scope_name: str = ""


class LogRecord(NamedTuple):
    """A log record.

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
        scope_name: Of the instrumentation scope; empty where it has none.
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
    scope_name: str = ""


Record = SpanRecord | LogRecord

OPERATIONAL = LogRecord("", NO_ATTRIBUTES, None, 0, 0, 0, 0, NO_ATTRIBUTES)
"""Stands for a span or log record of which a reader saw at once that nothing in it belongs to the product side."""

OnMalformed = Callable[[MalformedTelemetry], None]
"""Called with what is wrong with one span or log record, which is left out; without one a reader raises it."""


_Item = TypeVar("_Item")
_Around = TypeVar("_Around")
ReadOne = Callable[[_Item, _Around, str], Record]
"""Reads one span or log record, with what is around it, at a path that a message may name."""


def readable(
    read_one: ReadOne[_Item, _Around], item: _Item, around: _Around, path: str, on_malformed: OnMalformed | None
) -> Record | None:
    """Return the record that `read_one(item, around, path)` reads; None for one that cannot be read, told then."""
    try:
        return read_one(item, around, path)
    except MalformedTelemetry as error:
        if on_malformed is None:
            raise
        on_malformed(error)
        return None
