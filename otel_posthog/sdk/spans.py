"""Spans: how the SDK keeps what is on one, and the moment in which it can still be changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import unwrap
from operator import attrgetter, itemgetter
from time import time_ns
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, TraceState, get_current_span, propagation

from otel_posthog.actor.attributes import GROUP_PREFIX, KEPT_KEYS, is_kept, may_keep
from otel_posthog.model import EVENTS_URL, NO_ATTRIBUTES, Attributes
from otel_posthog.recogniser import PREFIX
from otel_posthog.sdk.items import like_list

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event
    from opentelemetry.trace import Link


See = Callable[["Span", Mapping[str, object]], None]
_see: See | None = None
SeeEvent = Callable[["Span", str, "Attributes | None", int], None]
_see_event: SeeEvent | None = None

light_kind: type | None = None
"""The class of light spans. Asked for by type: a look into the dictionary of a span of the SDK's has Python (3.11 and
later) build one, which costs each of them a microsecond."""

_SPAN_KEY: str = getattr(propagation, "_SPAN_KEY", "")


class EndingSpanProcessor(SpanProcessor):
    """A span processor that is called at a span's end while the span can still be changed.

    `_on_ending` comes before every processor's `on_end`, whatever the order of registration (SDK >= 1.40), so that
    what `on_ending` takes off a span is gone for all of them.
    """

    takes_light_spans = False
    """Whether dropped spans may be light ones, which tell it of their start and, if anything was said, of their end."""

    evicted_events: type[EvictedEvents]
    """The class of a light span's list of events."""

    def on_ending(self, span: Span) -> None:
        """Handle `span`, which has its end time; runs on the thread that ends it."""

    def looks_at_unmarked(self) -> bool:
        """Return whether the end of a light span matters that nobody has given anything to since it started."""
        return True

    def _on_ending(self, span: Span) -> None:
        self.on_ending(span)


def span_attributes(span: ReadableSpan) -> Attributes:
    """Return a span's attributes without the copies and locks of the public way; to be read at once, not kept.

    Safe at a span's start, when only one thread has it, and from its end on, when none can be set any more. Where
    this SDK keeps them elsewhere, it is the public way.
    """
    try:
        return span._attributes._dict  # type: ignore[union-attr,no-any-return]  # noqa: SLF001
    except AttributeError:
        return item_attributes(span.attributes)


def _trace_state_getter() -> Callable[[Any], TraceState]:
    probe = TraceState()
    by_place: Callable[[Any], TraceState] = itemgetter(4)
    try:
        if by_place(SpanContext(1, 1, is_remote=False, trace_state=probe)) is probe:
            return by_place
    except (LookupError, TypeError):
        pass
    return attrgetter("trace_state")


trace_state_of = _trace_state_getter()
"""Returns a span context's trace state; by its place in the tuple, where it has one, it takes a third of the time."""

_SAMPLED = TraceFlags.SAMPLED
_HAS_PLACES = all(
    tuple(SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(each)))[3:4] == (each,) for each in (0, 1, 2)
)


def is_sampled(context: SpanContext) -> bool:
    """Return whether `context` is that of a sampled span; by the flags' place in the tuple, like its trace state."""
    return bool((context[3] if _HAS_PLACES else context.trace_flags) & _SAMPLED)


def span_start(span: ReadableSpan, evicted: type[EvictedEvents]) -> tuple[SpanKind, SpanContext | None, Attributes]:
    """Return a span's kind, parent and attributes, as `span_attributes` does, by one look instead of three.

    Of a light span whose attributes nobody has asked for yet it returns none: they have nothing that counts here.

    Args:
        span: The span, which starts. It keeps the events that are wanted when it evicts them: its list becomes one of
            another class in place, as one of our own would cost each span four times as much. Where this SDK keeps
            events elsewhere, evicted ones are lost, as they are for everybody.
        evicted: The class of that list.
    """
    try:
        if type(span) is light_kind:  # which has no events yet, and makes them of that class
            own = span.__dict__
            return span._kind, span._parent, own["_attributes"]._dict if "_attributes" in own else NO_ATTRIBUTES  # noqa: SLF001
        events = span._events  # noqa: SLF001
        if type(events) is BoundedList:
            events.__class__ = evicted
        return span._kind, span._parent, span._attributes._dict  # type: ignore[union-attr]  # noqa: SLF001
    except AttributeError:
        return span.kind, span.parent, item_attributes(span.attributes)


def is_plain(span: ReadableSpan) -> bool:
    """Return whether an ending span has no event, nor any attribute of the product side, and began with none.

    A link to its events, which only we write, is of the product side as well.

    False where this SDK keeps them elsewhere, and for a light span, which is asked in another way.
    """
    if type(span) is light_kind:
        return False
    try:
        events: Any = span._events  # noqa: SLF001
        if events._dq or events.evicted or span.otel_posthog_scope.started:  # type: ignore[attr-defined]  # noqa: SLF001
            return False
        given = span._attributes._dict  # type: ignore[union-attr]  # noqa: SLF001 - the public way takes twice the time
        for key in given:
            if PREFIX in key:
                return False
        if EVENTS_URL in given:
            return False
    except (AttributeError, TypeError):
        return False
    return True


def span_in(context: Context) -> object:
    """Return the span in `context`, if there is one, without the question whether it is one: most of the public way.

    Where this API keeps it elsewhere, it is the public way.
    """
    return context.get(_SPAN_KEY) if _SPAN_KEY else get_current_span(context)


def span_end(span: ReadableSpan) -> tuple[int, int, int, Attributes, bool]:
    """Return a span's trace id, span id, end in Unix nanoseconds, resource, and whether it is sampled, by one look.

    Where this SDK keeps them elsewhere, it is the public way.
    """
    context: Any
    attributes: Any
    try:
        context, end_ns, attributes = span._context, span._end_time, span._resource._attributes  # noqa: SLF001
    except AttributeError:
        context, end_ns, attributes = span.context, span.end_time, item_attributes(span.resource.attributes)
    return context.trace_id, context.span_id, end_ns or 0, attributes, context.trace_flags & 1 == 1


def span_outline(span: ReadableSpan) -> tuple[str, str, int]:
    """Return the names of a span's kind and status, and how long it took in nanoseconds.

    The enumerations' own way to a name takes ten times as long in Python 3.10 and 3.11. Where this SDK keeps them
    elsewhere, it is the public way.
    """
    try:
        status, took_ns = span._status._status_code._name_, span._end_time - span._start_time  # type: ignore[operator]  # noqa: SLF001
        return span._kind._name_, status, took_ns  # noqa: SLF001
    except (AttributeError, TypeError):
        took_ns = (span.end_time or 0) - (span.start_time or 0)
        return span.kind.name, span.status.status_code.name, took_ns


def see_attributes(see: See) -> None:
    """Have `see(span, attributes)` called with those that are kept, when they are set on any span from now on.

    By the SDK's class, once in a process: a hook on each span would cost each of them more than all else here. The
    last `see` is called.

    Args:
        see: Must not raise: it runs inside the app's call.
    """
    global _see
    is_first, _see = _see is None, see
    if not is_first:
        return
    set_one, set_many = Span.set_attribute, Span.set_attributes
    kept, prefix = KEPT_KEYS, GROUP_PREFIX

    @wraps(set_one)
    def set_attribute(self: Span, key: str, value: Any) -> None:
        set_one(self, key, value)
        # Of nearly every key this is all that is asked: a call would cost each of them more.
        if (type(key) is not str or key in kept or prefix in key) and is_kept(key) and _see is not None:
            _see(self, {key: value})

    @wraps(set_many)
    def set_attributes(self: Span, attributes: Mapping[str, Any]) -> None:
        set_many(self, attributes)
        if may_keep(attributes):
            tell_kept(self, attributes)

    setattr(Span, "set_attributes", set_attributes)  # noqa: B010 - mypy takes a method for what cannot be replaced
    # Where the SDK sets one by way of many, as 1.41 does, it is seen there already.
    code = getattr(unwrap(set_one), "__code__", None)
    if code is None or "set_attributes" not in code.co_names:
        setattr(Span, "set_attribute", set_attribute)  # noqa: B010


def tell_kept(span: Span, attributes: Mapping[str, object]) -> None:
    """Do what the methods do that `see_attributes` has put in place, for a span that has taken them in another way."""
    if _see is not None:
        wanted = {key: value for key, value in attributes.items() if is_kept(key)}
        if wanted:
            _see(span, wanted)


def see_events(see: SeeEvent) -> None:
    """Have `see(span, name, attributes, time_ns)` called with each event that is added to a span from now on.

    By the SDK's class, once in a process, as `see_attributes`. The last `see` is called.

    Args:
        see: Must not raise: it runs inside the app's call.
    """
    global _see_event
    is_first, _see_event = _see_event is None, see
    if not is_first:
        return
    add = Span.add_event

    @wraps(add)
    def add_event(self: Span, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        add(self, name, attributes, timestamp)
        if _see_event is not None and self.is_recording():
            _see_event(self, name, attributes, time_ns() if timestamp is None else timestamp)

    setattr(Span, "add_event", add_event)  # noqa: B010 - as above


def span_events(span: ReadableSpan) -> Sequence[Event]:
    """Return a span's events; most have none, and those cost nothing."""
    if type(span) is light_kind and "_events" not in span.__dict__:  # no event was ever added to it
        return ()
    try:
        return span.events if span._events._dq else ()  # type: ignore[attr-defined]  # noqa: SLF001
    except AttributeError:
        return span.events


def span_links(span: ReadableSpan) -> Sequence[Link]:
    """Return a span's links; most have none, and those cost nothing."""
    try:
        return span.links if span._links._dq else ()  # type: ignore[attr-defined]  # noqa: SLF001
    except AttributeError:
        return span.links


MAX_EVICTED_EVENTS = 4096
"""Of one span; a span that lives for days and makes events all the time must not fill the memory with them."""


class EvictedEvents(BoundedList[Any]):
    """A span's list of events that keeps, of those the SDK evicts when the list is full, the wanted ones.

    A span holds 128 events (`OTEL_SPAN_EVENT_COUNT_LIMIT`); the oldest goes when one more comes. The list itself, which
    the exporters see, is what it would be without us.
    """

    evicted: list[Event] = []  # noqa: RUF012 - replaced, never changed, by the first that is kept
    """The wanted ones, oldest first; at most `MAX_EVICTED_EVENTS`."""

    evicted_beyond = 0
    """How many more there were."""

    is_wanted: Callable[[Event], bool]

    def append(self, item: Event) -> None:
        """Append `item`, and keep what it pushes out if it is wanted."""
        # One thread at a time: a span takes events under a lock of its own.
        held: deque[Event] = self._dq  # type: ignore[attr-defined]
        if held.maxlen is not None and len(held) >= held.maxlen:
            self._keep(held[0] if held else item)
        super().append(item)

    def _keep(self, event: Event) -> None:
        if not type(self).is_wanted(event):
            return
        if not self.evicted:
            self.evicted = []
        if len(self.evicted) < MAX_EVICTED_EVENTS:
            self.evicted.append(event)
        else:
            self.evicted_beyond += 1


def keep_evicted(events: object, kind: type[EvictedEvents]) -> None:
    """Have a list of events keep those that are wanted by `kind` when it evicts them."""
    if type(events) is BoundedList:
        events.__class__ = kind


def recorded_events(span: ReadableSpan) -> Sequence[Event]:
    """Return the events that were added to a span: those it still has, and before them the wanted evicted ones."""
    if type(span) is light_kind and "_events" not in span.__dict__:
        return ()
    try:
        events: Any = span._events  # noqa: SLF001
        evicted = events.evicted
        if not evicted and not events._dq:  # noqa: SLF001
            return ()
    except AttributeError:
        return span_events(span)
    return [*evicted, *span_events(span)] if evicted else span_events(span)


def forget_evicted_events(span: ReadableSpan) -> int:
    """Forget the evicted events of a span, which have been read; return how many of the wanted ones were not kept."""
    if type(span) is light_kind and "_events" not in span.__dict__:
        return 0
    events: object = getattr(span, "_events", None)
    # Of nearly every span, and the second question takes longer: the SDK's lists are of an abstract class.
    if not getattr(events, "evicted", None) or not isinstance(events, EvictedEvents):
        return 0
    events.evicted = []
    return events.evicted_beyond


def replace_attributes(span: Span, attributes: dict[str, Any]) -> None:
    """Give an ending span `attributes`, which are some of those it has.

    Raises:
        AttributeError: This SDK keeps them elsewhere; the wrapped exporters then do the stripping.
    """
    # In place: they have been checked and cut to length when they were set, and whoever holds the span's attributes is
    # not to see the others any more. Nobody else writes: they are immutable from the span's end on.
    if not hasattr(span._attributes, "_dict"):  # noqa: SLF001
        raise AttributeError("_dict")
    span._attributes._dict = attributes  # type: ignore[union-attr]  # noqa: SLF001


def link_to_events(span: Span, template: str) -> None:
    """Write on a sampled, ending span where the product events of its trace are seen.

    Raises:
        AttributeError: This SDK keeps a span's attributes elsewhere.
    """
    context = span.context
    if context is not None and context.trace_flags.sampled:
        url = template.format(trace_id=f"{context.trace_id:032x}", span_id=f"{context.span_id:016x}")
        replace_attributes(span, {**span_attributes(span), EVENTS_URL: url})
        span.otel_posthog_link = url  # type: ignore[attr-defined]


def has_own_link(span: Span) -> bool:
    """Return whether a span has a link to its events that `link_to_events` has not written."""
    found = span_attributes(span).get(EVENTS_URL)
    return found is not None and found is not getattr(span, "otel_posthog_link", None)


def replace_events(span: Span, events: Iterable[Event]) -> None:
    """Give an ending span other events, with the count of dropped ones kept.

    Raises:
        AttributeError: This SDK keeps them elsewhere; the wrapped exporters then do the stripping.
    """
    span._events = cast("Any", like_list(events, span._events))  # noqa: SLF001


def item_attributes(attributes: object) -> Attributes:
    """Return OpenTelemetry's optional attributes as a mapping."""
    return {} if attributes is None else cast("Attributes", attributes)
