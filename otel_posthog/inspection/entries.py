"""What the taps saw in, entries of the ring out: signals' outcomes and the span or log record that they are of.

The two come apart, from different threads, a moment after each other. An entry waits for its other half.
One thread uses it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

from otel_posthog.inspection.ring import Entry
from otel_posthog.inspection.sdk_items import SdkItem
from otel_posthog.model import Signal, Source
from otel_posthog.stages import Outcome
from otel_posthog.worker import estimated_bytes

WAIT_S = 0.3
"""How long an outcome waits for the item that it is of: that comes from the app's thread, at the same time."""

MAX_WAIT_S = 10.0
"""How long an item waits for the outcomes of its signals: the first of a process waits for the filters to be read, and
what comes before the request's user is known waits for that."""

_BYTES_PER_ITEM, _BYTES_PER_ATTRIBUTE = 1000, 150
# The event, its clean bytes and its receipt repeat what the signal has.
_OUTCOME_FACTOR = 3


class Entries:
    """Puts halves together.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: OrderedDict[object, tuple[Entry, float]] = OrderedDict()

    def add(self, seen: Any) -> None:
        """Take what a tap saw."""
        if isinstance(seen, list):
            for _, of_signal in groupby(seen, lambda each: id(each.signal)):
                self._add_outcomes(list(of_signal))
        else:
            item, signals = seen
            if isinstance(item, ReadableSpan):
                self._add_span(item, signals)
            else:
                self._add_log(item, signals)

    def ready(self, *, at_once: bool = False) -> Iterator[Entry]:
        """Yield the entries that are whole, or have waited for long enough, or all."""
        now = self._clock()
        for key, (entry, since) in list(self._waiting.items()):
            if at_once or _is_whole(entry) or now - since > (WAIT_S if entry.expected is None else MAX_WAIT_S):
                del self._waiting[key]
                yield entry

    def _add_outcomes(self, outcomes: list[Outcome]) -> None:
        signal = outcomes[0].signal
        is_span = signal.source is not Source.LOG
        key: object = (signal.trace_id, signal.span_id) if is_span else id(signal.attributes)
        entry = self._entry(key, signal.time_ns)
        entry.outcomes.append(outcomes)
        entry.size_bytes += estimated_bytes(signal) * (1 + _OUTCOME_FACTOR * len(outcomes))

    def _add_span(self, span: ReadableSpan, signals: Sequence[Signal]) -> None:
        context = span.context
        key = (context.trace_id, context.span_id)
        # What nobody gets is no item: a dropped span is seen here for its events only.
        if context.trace_flags.sampled or signals:
            self._set_item(self._entry(key, span.end_time or 0), span, signals)

    def _add_log(self, item: ReadableLogRecord, signals: Sequence[Signal]) -> None:
        # A signal may be copied on its way; its attributes are not.
        key: object = id(signals[0].attributes) if signals else id(item)
        record = item.log_record
        self._set_item(self._entry(key, record.timestamp or record.observed_timestamp or 0), item, signals)

    def _entry(self, key: object, time_ns: int) -> Entry:
        found = self._waiting.get(key)
        if found is None:
            found = self._waiting[key] = Entry(0, time_ns or time.time_ns()), self._clock()
        return found[0]

    def _set_item(self, entry: Entry, item: SdkItem, signals: Sequence[Signal]) -> None:
        if entry.item is None:
            entry.item, entry.expected = item, len(signals)
            entry.size_bytes += estimated_item_bytes(item)


def _is_whole(entry: Entry) -> bool:
    return entry.expected is not None and len(entry.outcomes) >= entry.expected


def estimated_item_bytes(item: SdkItem) -> int:
    """Return about how much memory a span or a log record holds."""
    if isinstance(item, ReadableSpan):
        maps = [item.attributes, *(each.attributes for each in item.events), *(each.attributes for each in item.links)]
        text = item.status.description or ""
    else:
        maps = [item.log_record.attributes]
        body = item.log_record.body
        text = body if isinstance(body, str) else repr(body)
    size = _BYTES_PER_ITEM + len(text)
    for attributes in maps:
        for value in (attributes or {}).values():
            size += _BYTES_PER_ATTRIBUTE + (len(value) if isinstance(value, (str, bytes)) else len(repr(value)))
    return size
