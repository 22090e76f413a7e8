"""What a document of telemetry holds, as plain values: those parts of spans and log records that are read here.

With the uids of log records that come without one: another for each, and the same when a request is delivered again.
Several records may bear one name and one time, as clocks tick in milliseconds. All that was received tells them apart,
also what filters take off later; by a key, since a bare hash lets whoever guesses a value see that it was there.
"""

from __future__ import annotations

import hmac
import marshal
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.model import NO_ATTRIBUTES, Attributes
from otel_posthog.recogniser import CONTENT_UID, RECORD_UID_KEY
from otel_posthog.rules import last_exception

MAX_DEPTH = 32
"""Levels of nesting in one value; the SDK's own limit for what it lets an app record is lower."""

SPAN_KINDS = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
"""By their numbers in OTLP; one that is not said is an internal span."""

STATUS_CODES = ("UNSET", "OK", "ERROR")
"""By their numbers in OTLP."""


class SpanEvent(NamedTuple):
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

    @property
    def took_ns(self) -> int:
        """How long it took."""
        return self.end_ns - self.start_ns

    @property
    def exception_type(self) -> object:
        """The type of the last exception that was recorded on it; None where there is none."""
        return last_exception(self.events)

    @property
    def children(self) -> None:
        """What was found inside it is not known: those spans may come in other requests, or nowhere."""
        return


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
        is_sampled: Whether its flags say that its trace is sampled.
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
    is_sampled: bool = False


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


# Of `marshal`: without references to what it has seen before, hence the same for the same values.
_MARSHAL_VERSION = 2


class RecordUids:
    """Makes the uids of one request's log records.

    Args:
        key: Gateways that have the same one make the same uids.
    """

    def __init__(self, key: bytes) -> None:
        self._mac = hmac.new(key, digestmod="sha256")
        self._seen: dict[bytes, int] = {}

    def uid(self, record: LogRecord, name: str) -> bytes:
        """Return the uid of `record`, exact repeats numbered.

        Args:
            record: As received.
            name: Of the event that it is.
        """
        given = record.attributes.get(RECORD_UID_KEY)
        if isinstance(given, str) and given.startswith(CONTENT_UID):
            content = given.encode("utf-8", "surrogatepass")
        else:
            content = _content(record, name)
        uid = self._digest(content)
        repeat = self._seen.get(uid, 0)
        self._seen[uid] = repeat + 1
        return self._digest(uid + repeat.to_bytes(8, "big")) if repeat else uid

    def _digest(self, content: bytes) -> bytes:
        mac = self._mac.copy()
        mac.update(content)
        return mac.digest()


def _content(record: LogRecord, name: str) -> bytes:
    """Return all of `record`, in the order in which it was received: a repeat comes in the same order."""
    ids = name, record.time_ns, record.observed_ns, record.trace_id, record.span_id
    # Without a trace only the resource tells two processes apart.
    content: Any = (ids, record.attributes, record.body, None if record.trace_id else dict(record.resource))
    return marshal.dumps(content, _MARSHAL_VERSION)
