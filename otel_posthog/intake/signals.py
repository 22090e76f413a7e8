"""What is recognised in, signals out: the one place that makes them, of the SDK's items and of those of a document.

Comes in: a span or a log record that has ended or was emitted, here or elsewhere. Goes out: a `Signal` for each product
event that it is or holds, exact repeats numbered. Runs on the app's threads, on every span and log record, and on a
gateway's: what is operational costs a question or two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.trace import ReadableSpan, Span

from otel_posthog.actor import kept_scope, scope_in
from otel_posthog.intake.acting import acting, acting_at_end, children_of
from otel_posthog.intake.flags import Added, keep_flag_of, keep_flags, with_flags, with_flags_of_span
from otel_posthog.intake.otlp.records import OPERATIONAL, LogRecord, RecordUids, SpanRecord
from otel_posthog.model import NO_ATTRIBUTES, Attributes, ContextIdentity, Signal, Source
from otel_posthog.recogniser import Found, Recogniser
from otel_posthog.rules import Outline, SpanEvent, last_exception
from otel_posthog.sdk import (
    is_first_to_take,
    item_attributes,
    recorded_events,
    span_end,
    span_outline,
    taken_as,
)

# By name: to look a member up in its enumeration takes as long as several calls in Python 3.10 and 3.11.
_SPAN, _SPAN_EVENT, _LOG = Source.SPAN, Source.SPAN_EVENT, Source.LOG

# A plain tuple, as one is made for every event: trace id, span id, end in Unix nanoseconds, resource, whether it is
# sampled, who acts, and how many of the span's attributes its limits had evicted.
_SpanOrigin = tuple[int, int, int, Attributes, bool, "ContextIdentity | None", int]
# Trace id, span id, time and observed time in Unix nanoseconds, resource, whether its trace is sampled, who acts, which
# one it is that was taken of this process, and how many of its attributes were evicted.
_LogOrigin = tuple[int, int, int, int, Attributes, bool, "ContextIdentity | None", int, int]

_Made = Callable[[str, Attributes], Attributes]
"""Returns the attributes of the event that the rule of an id makes of an item, of the item's."""

_Record = TypeVar("_Record")


def span_signals(span: ReadableSpan, attributes: Attributes, recogniser: Recogniser) -> list[Signal]:
    """Return the product events of an ending or ended span: the span itself and its events.

    Args:
        span: The span.
        attributes: Its attributes, with those that it has lost since it started.
        recogniser: The rules in force.
    """
    events = recorded_events(span)
    found = recogniser.span(attributes, span, _SdkSpan, span_outline)
    inside: Sequence[tuple[SpanEvent, str, str]] = ()
    if events:
        is_product = recogniser.is_product(found, attributes)
        inside = recogniser.span_events(events, span, _SdkSpan, is_product=is_product)
    if not found and not inside:
        return []
    origin = (*span_end(span), acting_at_end(span), span.dropped_attributes)
    made = partial(recogniser.attributes_of, item=span, facts=_SdkSpan)
    signals = _of_span(found, inside, attributes, origin, made)
    return with_flags(signals, kept_scope(span)) if recogniser.tells_flags else signals


def see_added(span: Span, added: Added, recogniser: Recogniser) -> None:
    """Keep what a feature flag said, if an event that is added to `span` tells of one."""
    keep_flag_of(span, added, recogniser, _SdkSpan)


def log_signals(item: ReadWriteLogRecord | ReadableLogRecord, recogniser: Recogniser) -> list[Signal]:
    """Return the product events that a log record is; none of one that was taken before.

    A processor and an exporter of ours may both see a record: who comes first takes it.
    """
    record = item.log_record
    attributes = item_attributes(record.attributes)
    found = recogniser.log(record.event_name, attributes, item, _SdkLog)
    if not found or not is_first_to_take(record.attributes):
        return []
    origin = (
        record.trace_id or 0,
        record.span_id or 0,
        record.timestamp or 0,
        record.observed_timestamp or 0,
        _resource(item),
        (record.trace_flags or 0) & 1 == 1,
        acting(record.context),
        # Clocks tick in milliseconds on some systems, and an app may give several records one time.
        taken_as(record.attributes),
        item.dropped_attributes,
    )
    made = partial(recogniser.attributes_of, item=item, facts=_SdkLog)
    signals = _of_log(found, dict(attributes), origin, made)
    if not recogniser.tells_flags:
        return signals
    scope = scope_in(record.context)
    keep_flags(scope, signals)
    return with_flags(signals, scope)


def record_signals(
    record: SpanRecord | LogRecord, recogniser: Recogniser, uids: RecordUids | None = None
) -> list[Signal]:
    """Return the product events of `record`: those of the process it comes from, of a span also with the same uuids.

    Args:
        record: Of a document.
        recogniser: The rules in force.
        uids: Tells log records of one name and time apart; without it they are one event.
    """
    attributes = record.attributes
    if isinstance(record, SpanRecord):
        found = recogniser.span(attributes, record, _itself, _outline_of)
        is_product = recogniser.is_product(found, attributes)
        inside = recogniser.span_events(record.events, record, _itself, is_product=is_product) if record.events else ()
        if not found and not inside:
            return []
        ids = record.trace_id, record.span_id, record.end_ns
        made = partial(recogniser.attributes_of, item=record, facts=_itself)
        # What is not sampled is not exported, and few SDKs put the flag in: it is in no span that was not.
        of = (*ids, record.resource, True, None, record.dropped_attributes)
        signals = _of_span(found, inside, attributes, of, made)
        return with_flags_of_span(signals) if recogniser.tells_flags else signals
    found = recogniser.log(record.event_name or None, attributes, record, _itself)
    if not found:
        return []
    times = record.time_ns, record.observed_ns
    of_trace = record.is_sampled, None, 0, record.dropped_attributes
    origin = (record.trace_id, record.span_id, *times, record.resource, *of_trace)
    return _of_log(
        found, attributes, origin, partial(recogniser.attributes_of, item=record, facts=_itself), uids, record
    )


def _of_span(
    found: Found,
    inside: Sequence[tuple[SpanEvent, str, str]],
    attributes: Attributes,
    origin: _SpanOrigin,
    made: _Made,
) -> list[Signal]:
    trace_id, span_id, end_ns, resource, is_sampled, who, dropped = origin
    own, ids = dict(attributes), (trace_id, span_id)
    signals: list[Signal] = []
    for name, rule in found:
        its = made(rule, own)
        signals.append(
            Signal(
                _SPAN,
                name,
                its,
                end_ns,
                *ids,
                resource,
                who,
                end_ns,
                0,
                NO_ATTRIBUTES,
                dropped,
                b"",
                rule,
                (),
                is_sampled,
            )
        )
    if not inside:
        return signals
    # A span event may bear the name of its span and the time of its end.
    repeats = Counter((name, end_ns) for name, _ in found)
    for event, name, rule in inside:
        time_ns, given = event.timestamp, event.attributes or NO_ATTRIBUTES
        repeat = repeats[name, time_ns]
        repeats[name, time_ns] += 1
        lost = getattr(given, "dropped", 0)  # where they are the SDK's
        signals.append(
            Signal(
                _SPAN_EVENT,
                name,
                made(rule, dict(given)),
                time_ns,
                *ids,
                resource,
                who,
                end_ns,
                repeat,
                own,
                lost,
                b"",
                rule,
                (),
                is_sampled,
            )
        )
    return signals


def _of_log(  # noqa: PLR0913, PLR0917 - a call by keyword takes longer
    found: Found,
    attributes: Attributes,
    origin: _LogOrigin,
    made: _Made,
    uids: RecordUids | None = None,
    record: LogRecord = OPERATIONAL,
) -> list[Signal]:
    trace_id, span_id, time_ns, observed_ns, resource, is_sampled, who, taken, dropped = origin
    signals: list[Signal] = []
    for name, rule in found:
        uid = uids.uid(record, name) if uids else b""
        # Data model: use the time of the event, and the time it was observed where that is unknown.
        at_ns = time_ns or observed_ns
        signals.append(
            Signal(
                _LOG,
                name,
                made(rule, attributes),
                at_ns,
                trace_id,
                span_id,
                resource,
                who,
                observed_ns,
                taken,
                NO_ATTRIBUTES,
                dropped,
                uid,
                rule,
                (),
                is_sampled,
            )
        )
    return signals


def _itself(record: _Record) -> _Record:
    return record


def _outline_of(record: SpanRecord) -> Outline:
    return record.kind, record.status_code, record.took_ns


class _SdkSpan:
    """What a rule may ask of a span of the SDK, read when it is asked for."""

    __slots__ = ("_span",)

    def __init__(self, span: ReadableSpan) -> None:
        self._span = span

    @property
    def name(self) -> str:
        return self._span.name

    @property
    def status_code(self) -> str:
        return span_outline(self._span)[1]

    @property
    def kind(self) -> str:
        return span_outline(self._span)[0]

    @property
    def took_ns(self) -> int:
        return span_outline(self._span)[2]

    @property
    def trace_id(self) -> int:
        return self._span.context.trace_id if self._span.context else 0

    @property
    def scope_name(self) -> str:
        scope = self._span.instrumentation_scope
        return scope.name if scope else ""

    @property
    def resource(self) -> Attributes:
        return item_attributes(self._span.resource.attributes)

    @property
    def exception_type(self) -> object:
        return last_exception(recorded_events(self._span))

    @property
    def children(self) -> frozenset[str] | None:
        return children_of(self._span)


class _SdkLog:
    """The same of a log record."""

    __slots__ = ("_item",)

    def __init__(self, item: ReadWriteLogRecord | ReadableLogRecord) -> None:
        self._item = item

    @property
    def trace_id(self) -> int:
        return self._item.log_record.trace_id or 0

    @property
    def scope_name(self) -> str:
        scope = self._item.instrumentation_scope
        return scope.name if scope else ""

    @property
    def resource(self) -> Attributes:
        return _resource(self._item)


def _resource(item: ReadWriteLogRecord | ReadableLogRecord) -> Attributes:
    return item_attributes(item.resource.attributes if item.resource else None)
