"""The one file of the OpenTelemetry SDK's private names.

The public SDK has no hook in which an ended span can still be cleaned, no way to wrap an exporter that is already
installed, and no way to give existing tracers another sampler. What is reached for here was read in SDK 1.41 and 1.45
(`tests/setup/test_setup_sdk.py` fails when a release moves a name). Each function says what happens when a name is
gone: the caller then knows less, never sends more, because the wrapped exporters strip product data as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar, cast

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry._logs import _internal as logs_api
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.metrics import _internal as metrics_api
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.util import BoundedList

from otel_posthog.model import Attributes

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, TracerProvider
    from opentelemetry.sdk.trace.sampling import Sampler

_Kind = TypeVar("_Kind")


class EndingSpanProcessor(SpanProcessor):
    """A span processor that is told of a span's end while the span can still be changed.

    `_on_ending` comes before every processor's `on_end`, whatever the order of registration (SDK >= 1.40), so that
    what `on_ending` takes off a span is gone for all of them.
    """

    def on_ending(self, span: Span) -> None:
        """Handle `span`, which has its end time; runs on the thread that ends it."""

    def _on_ending(self, span: Span) -> None:
        self.on_ending(span)


def span_attributes(span: ReadableSpan) -> Attributes:
    """Return a span's attributes without the copies and locks of the public way; to be read at once, not kept.

    Safe at a span's start, when only one thread has it, and from its end on, when nobody can set one any more. Where
    this SDK keeps them elsewhere, it is the public way.
    """
    try:
        return cast("Attributes", span._attributes._dict)  # type: ignore[union-attr]  # noqa: SLF001
    except AttributeError:
        return item_attributes(span.attributes)


def remember(span: Span, value: object) -> None:
    """Keep `value` with `span`, for as long as that lives; a weak dictionary takes ten times as long."""
    span._otel_posthog = value  # type: ignore[attr-defined]  # noqa: SLF001


def remembered(span: ReadableSpan) -> Any:
    """Return what was kept with `span`, or None."""
    return getattr(span, "_otel_posthog", None)


def span_events(span: ReadableSpan) -> Sequence[Event]:
    """Return a span's events; most have none, and those cost nothing."""
    try:
        return span.events if len(span._events) else ()  # noqa: SLF001
    except AttributeError:
        return span.events


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


def keep_evicted_events(span: Span, kind: type[EvictedEvents]) -> None:
    """Have `span` keep the events that are wanted by `kind` when it evicts them.

    Its list becomes one of another class in place: a list of our own would cost each span four times as much. Where
    this SDK keeps events elsewhere, evicted ones are lost, as they are for everybody.
    """
    events = getattr(span, "_events", None)
    if type(events) is BoundedList:
        events.__class__ = kind


def recorded_events(span: ReadableSpan) -> Sequence[Event]:
    """Return the events that were added to a span: those it still has, and before them the wanted evicted ones."""
    evicted = getattr(getattr(span, "_events", None), "evicted", None)
    return [*evicted, *span_events(span)] if evicted else span_events(span)


def forget_evicted_events(span: ReadableSpan) -> int:
    """Forget the evicted events of a span, which have been read; return how many of the wanted ones were not kept."""
    events: object = getattr(span, "_events", None)
    if not isinstance(events, EvictedEvents):
        return 0
    events.evicted = []
    return events.evicted_beyond


def bounded(attributes: Mapping[str, Any], like: object) -> BoundedAttributes:
    """Return `attributes` as the SDK keeps them, with the limits and the count of dropped ones of `like`."""
    limits = like if isinstance(like, BoundedAttributes) else BoundedAttributes()
    result = BoundedAttributes(limits.maxlen, attributes, immutable=True, max_value_len=limits.max_value_len)
    result.dropped = limits.dropped
    return result


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


def replace_events(span: Span, events: Iterable[Event]) -> None:
    """Give an ending span other events, with the count of dropped ones kept.

    Raises:
        AttributeError: This SDK keeps them elsewhere; the wrapped exporters then do the stripping.
    """
    span._events = cast("Any", _like_list(events, span._events))  # noqa: SLF001


def copy_span(span: ReadableSpan, **changes: Any) -> ReadableSpan:
    """Return a copy of an ended span with other `name`, `attributes`, `events`, `links`, `status` or `resource`.

    What is not named is handed on as it is, dropped counts included.
    """
    kept = {
        "name": span.name,
        "context": span.context,
        "parent": span.parent,
        "resource": span.resource,
        "attributes": span._attributes,  # noqa: SLF001
        "events": span._events,  # noqa: SLF001
        "links": span._links,  # noqa: SLF001
        "kind": span.kind,
        "status": span.status,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "instrumentation_scope": span.instrumentation_scope,
    }
    if "attributes" in changes:
        changes["attributes"] = bounded(changes["attributes"], span._attributes)  # noqa: SLF001
    for name in ("events", "links"):
        if name in changes:
            changes[name] = _like_list(changes[name], kept[name])
    return ReadableSpan(**{**kept, **changes})


def _like_list(items: Iterable[object], like: object) -> BoundedList[object]:
    """Return `items` as the SDK keeps lists, with the count of dropped ones of `like`."""
    result = BoundedList.from_seq(None, list(items))
    result.dropped = getattr(like, "dropped", 0)
    return result


def rewire_sampler(provider: TracerProvider, wrap: Callable[[Sampler], Sampler]) -> None:
    """Put `wrap(sampler)` in the place of the provider's sampler, and of the sampler of every tracer made before.

    Where an SDK does not list its tracers (before 1.41), those made before set-up keep the sampler they have.
    """
    wrapped = provider.sampler = wrap(provider.sampler)
    for tracer in getattr(provider, "_tracers", {}).values():
        tracer.sampler = wrapped


def span_processors(provider: object) -> tuple[object, ...] | None:
    """Return the provider's span processors; None where this SDK keeps them elsewhere."""
    return _kept(provider, "_active_span_processor", "_span_processors")


def log_processors(provider: object) -> tuple[object, ...] | None:
    """Return the provider's log record processors; None where this SDK keeps them elsewhere."""
    return _kept(provider, "_multi_log_record_processor", "_log_record_processors")


def metric_readers(provider: object) -> tuple[object, ...] | None:
    """Return the provider's metric readers; None where this SDK keeps them elsewhere."""
    return _kept(provider, "_measurement_consumer", "_reader_storages")


def _kept(provider: object, holder_name: str, list_name: str) -> tuple[object, ...] | None:
    items = getattr(getattr(provider, holder_name, None), list_name, None)
    return None if items is None else tuple(items)


def prepare_added(provider: object, add_name: str, prepare: Callable[[Any], None]) -> None:
    """Have `prepare(item)` called before whatever is added to `provider` later by its public method `add_name`."""
    _see_first(provider, add_name, prepare)


def wrap_exporter(holder: object, wrap: Callable[[Any], Any], prepare: Callable[[Any], None]) -> bool:
    """Put `wrap(exporter)` in the place of each exporter that a processor holds, itself or by processors inside it.

    Args:
        holder: The processor.
        wrap: Returns what is to stand in an exporter's place.
        prepare: Called with each processor that is added later to one inside, before it is.

    Returns:
        False when no exporter was found, nor a place for one: a processor of somebody's own making.
    """
    found = False
    for each in _inside(holder, set()):
        for name in _ADD_NAMES:
            found |= _see_first(each, name, prepare)
        kept_at = _exporter_name(each)
        if kept_at is not None:
            setattr(each, kept_at, wrap(getattr(each, kept_at)))
            found = True
    return found


# `_batch_processor` is the SDK's; the others are how distributions (logfire) and the SDK hold processors in processors.
_EXPORTER_NAMES = ("_exporter", "span_exporter")
_INSIDE_NAMES = ("_batch_processor", "processor", "_processor", "deferred_processor")
_LIST_NAMES = ("_span_processors", "_log_record_processors")
_ADD_NAMES = ("add_span_processor", "add_log_record_processor")


def _inside(holder: object, seen: set[int]) -> Iterator[object]:
    """Yield `holder` and the processors inside it, each once, whatever circles there are."""
    if holder is None or id(holder) in seen:
        return
    seen.add(id(holder))
    yield holder
    for each in _held(holder):
        yield from _inside(each, seen)


def _held(holder: object) -> list[object]:
    held = [each for each in (_get(holder, name) for name in _INSIDE_NAMES) if each is not None]
    return held + [each for name in _LIST_NAMES for each in _get(holder, name) or ()]


def _exporter_name(holder: object) -> str | None:
    """Return where `holder` keeps an exporter; one that hands on to others only shows that of one of them."""
    if _held(holder):
        return None
    return next((name for name in _EXPORTER_NAMES if _get(holder, name) is not None), None)


def _get(item: object, name: str) -> Any:
    """Return an attribute of an object of somebody else's, or None, whatever looking at it does."""
    try:
        return getattr(item, name, None)
    except Exception:
        return None


def beneath(provider: object, kind: type[_Kind]) -> _Kind | None:
    """Return the SDK provider that `provider` is, or that a distribution's proxies around it hold; else None."""
    for _ in range(_MAX_PROXIES):
        if isinstance(provider, kind):
            return provider
        provider = next((inner for inner in (_get(provider, name) for name in _PROXY_NAMES) if inner is not None), None)
    return None


# logfire's proxies have `provider`; the second is what others would call it.
_PROXY_NAMES, _MAX_PROXIES = ("provider", "_provider"), 5


def on_provider_set(see: Callable[[object], None]) -> bool:
    """Have `see(provider)` called before the program makes a provider the global one.

    Returns:
        False where this API sets one of the three in another way; it is then not seen when it comes after set-up.
    """
    places = ((trace, "set_tracer_provider"), (logs_api, "set_logger_provider"), (metrics_api, "set_meter_provider"))
    # The public functions call these; who imported one of them by name still gets there. Else at least the public ones.
    done = [_see_first(module, f"_{name}", see) or _see_first(module, name, see) for module, name in places]
    return all(done)


def on_provider_replaced(proxy: object, see: Callable[[object], None]) -> None:
    """Have `see(provider)` called before a distribution gives its proxy another provider, as logfire does."""
    for name in ("set_provider", "set_meter_provider"):
        _see_first(proxy, name, see)


def _see_first(owner: object, name: str, see: Callable[[Any], None]) -> bool:
    call = _get(owner, name)
    if call is None:
        return False

    def see_and_call(item: Any, *args: Any, **kwargs: Any) -> Any:
        see(item)
        return call(item, *args, **kwargs)

    setattr(owner, name, see_and_call)
    return True


_TAKEN = "_otel_posthog_taken"


def is_first_to_take(item: object) -> bool:
    """Return whether nobody has asked this before of a live span, or of a log record's attributes.

    A batch processor copies records before later processors see them; what all copies share is the attributes' object.
    Where an item cannot be marked everybody is the first: the event has the same uuid each time.
    """
    if getattr(item, _TAKEN, False):
        return False
    with suppress(AttributeError, TypeError):
        setattr(item, _TAKEN, True)
    return True


def wrap_reader(reader: object, redact: Callable[[Any], Any | None]) -> bool:
    """Have a metric reader get `redact(metrics_data)`, or nothing where that is None.

    It works for readers that push through an exporter and for those that are scraped alike.

    Returns:
        False where this SDK hands metrics on in another way.
    """
    receive = getattr(reader, "_receive_metrics", None)
    if receive is None:
        return False

    def receive_redacted(metrics_data: Any, *args: Any, **kwargs: Any) -> None:
        clean = redact(metrics_data)
        if clean is not None:
            receive(clean, *args, **kwargs)

    reader._receive_metrics = receive_redacted  # type: ignore[attr-defined]  # noqa: SLF001
    return True


def shutdown_exporter(exporter: object, timeout_millis: float | None) -> None:
    """Shut a span or log exporter down; its time limit is handed on where it takes one, as the SDK itself does."""
    shutdown: Callable[..., object] = exporter.shutdown  # type: ignore[attr-defined]
    if timeout_millis is not None and "timeout_millis" in signature(shutdown).parameters:
        shutdown(timeout_millis=timeout_millis)
    else:
        shutdown()


def flush_exporter(exporter: object, timeout_millis: int) -> bool:
    """Flush a span or log exporter; those of older SDKs need not have anything to flush."""
    flush = getattr(exporter, "force_flush", None)
    return flush is None or flush(timeout_millis) is not False


def metric_preferences(exporter: object) -> tuple[Any, Any]:
    """Return the temporality and aggregation that a metric exporter prefers, for a wrapper to prefer the same."""
    return getattr(exporter, "_preferred_temporality", None), getattr(exporter, "_preferred_aggregation", None)


@contextmanager
def suppressed_instrumentation() -> Iterator[None]:
    """Keep instrumentation of HTTP clients from tracing what runs inside: our own requests are nobody's telemetry."""
    key = getattr(context_api, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")
    token = context_api.attach(context_api.set_value(key, True))
    try:
        yield
    finally:
        context_api.detach(token)


def item_attributes(attributes: object) -> Attributes:
    """Return OpenTelemetry's optional attributes as a mapping."""
    return {} if attributes is None else cast("Attributes", attributes)
