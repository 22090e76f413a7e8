"""The one file of the OpenTelemetry SDK's private names.

The public SDK has no hook in which an ended span can still be cleaned, no way to wrap an exporter that is already
installed, and no way to give existing tracers another sampler. What is reached for here was read in SDK 1.41 and 1.45
(`tests/setup/test_setup_sdk.py` fails when a release moves a name). Each function says what happens when a name is
gone: the caller then knows less, never sends more, because the wrapped exporters strip product data as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import context as context_api
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.util import BoundedList

from otel_posthog.model import Attributes

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, TracerProvider
    from opentelemetry.sdk.trace.sampling import Sampler


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


def span_events(span: ReadableSpan) -> Sequence[Event]:
    """Return a span's events; most have none, and those cost nothing."""
    try:
        return span.events if len(span._events) else ()  # noqa: SLF001
    except AttributeError:
        return span.events


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
    old = span._attributes  # noqa: SLF001
    new = bounded({}, old)
    # They have been checked and cut to length when they were set; doing it again is most of the cost.
    new._dict = attributes  # noqa: SLF001
    span._attributes = new  # noqa: SLF001


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


def span_processors(provider: object) -> tuple[object, ...]:
    """Return the provider's span processors; empty where this SDK keeps them elsewhere."""
    active = getattr(provider, "_active_span_processor", None)
    return tuple(getattr(active, "_span_processors", ()))


def log_processors(provider: object) -> tuple[object, ...]:
    """Return the provider's log record processors; empty where this SDK keeps them elsewhere."""
    active = getattr(provider, "_multi_log_record_processor", None)
    return tuple(getattr(active, "_log_record_processors", ()))


def metric_readers(provider: object) -> tuple[object, ...]:
    """Return the provider's metric readers; empty where this SDK keeps them elsewhere."""
    consumer = getattr(provider, "_measurement_consumer", None)
    return tuple(getattr(consumer, "_reader_storages", ()))


def prepare_added(provider: object, add_name: str, prepare: Callable[[Any], None]) -> None:
    """Have `prepare(item)` called before whatever is added to `provider` later by its public method `add_name`."""
    add = getattr(provider, add_name, None)
    if add is None:
        return

    def prepare_and_add(item: Any) -> Any:
        prepare(item)
        return add(item)

    setattr(provider, add_name, prepare_and_add)


def wrap_exporter(holder: object, wrap: Callable[[Any], Any]) -> bool:
    """Put `wrap(exporter)` in the place of the exporter that a processor or metric reader holds.

    Returns:
        False when no exporter was found: a processor of somebody's own making.
    """
    holder = getattr(holder, "_batch_processor", holder)
    for name in ("_exporter", "span_exporter"):
        exporter = getattr(holder, name, None)
        if exporter is not None:
            setattr(holder, name, wrap(exporter))
            return True
    return False


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
