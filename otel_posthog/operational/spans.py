"""Spans of the operational side: product data off as they end, then redacted copies to each exporter, never one fewer.

`detach` runs on the thread that ends a span, before any processor or exporter of the app sees it; a span that holds
nothing of ours is not touched. `RedactingSpanExporter` runs where the app's exporter does.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status

from otel_posthog.errors import Guard
from otel_posthog.model import EVENTS_URL, PROCESSED, REDACTED
from otel_posthog.operational.redactor import Redactor
from otel_posthog.recogniser import (
    EXCEPTION,
    has_product_attributes,
    is_only_product_event,
    without_product_attributes,
)
from otel_posthog.sdk import (
    bounded,
    copy_span,
    flush_exporter,
    has_own_link,
    item_attributes,
    replace_attributes,
    replace_events,
    shutdown_exporter,
    span_attributes,
    span_events,
    span_links,
    with_resource,
)


def detach(span: Span) -> None:
    """Take product attributes and product events off `span`, and a link to its events that an app has written.

    Raises:
        AttributeError: This SDK keeps a span's data elsewhere; the wrapped exporters then do the stripping.
    """
    attributes = span_attributes(span)
    if has_product_attributes(attributes):
        replace_attributes(span, without_product_attributes(attributes))
    if has_own_link(span):
        attributes = span_attributes(span)
        replace_attributes(span, {key: value for key, value in attributes.items() if key != EVENTS_URL})
    events = span_events(span)
    if not events:
        return
    kept = [each for each in events if not is_only_product_event(each.name, item_attributes(each.attributes))]
    if len(kept) < len(events):
        replace_events(span, kept)


LINKS_MARK = "otel_posthog.links_redacted"
"""Attribute of a span with links that has been through here. A Collector can neither read nor change attributes of
links: it withholds spans with links, unless they have this (`otel-posthog collector-config`)."""


class RedactingSpanExporter(SpanExporter):
    """Wraps a span exporter; every span goes on, without product data and without what the detectors find.

    Args:
        inner: The exporter that gets the clean spans.
        redactor: The filter.
        guard: Counts what goes wrong; a span that could not be redacted goes on as an empty one of the same ids.
    """

    def __init__(self, inner: SpanExporter, redactor: Redactor, guard: Guard) -> None:
        self.inner, self._redactor, self._guard = inner, redactor, guard

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export redacted copies of `spans`."""
        return self.inner.export([self._safely(span) for span in spans])

    def shutdown(self, timeout_millis: float | None = None) -> None:
        """Shut the inner exporter down, within the time that the SDK has left for it."""
        shutdown_exporter(self.inner, timeout_millis)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the inner exporter."""
        return flush_exporter(self.inner, timeout_millis)

    def _safely(self, span: ReadableSpan) -> ReadableSpan:
        try:
            return self._redacted(span)
        except Exception as error:
            self._guard.caught("redact_span", error)
            return self._emptied(span)

    def _emptied(self, span: ReadableSpan) -> ReadableSpan:
        """Return a span of the same ids and times: never withheld (children would be orphans), never unfiltered."""
        scope: InstrumentationScope | None
        try:
            resource, scope = (
                self._redactor.marked_resource(span.resource),
                self._redactor.scope(span.instrumentation_scope),
            )
        except Exception as error:
            self._guard.caught("redact_resource", error)
            resource, scope = Resource({PROCESSED: True}), None
        return copy_span(
            span,
            name=REDACTED,
            context=_without_state(span.context),
            attributes={},
            events=(),
            links=(),
            status=Status(span.status.status_code),
            resource=resource,
            instrumentation_scope=scope,
        )

    def _redacted(self, span: ReadableSpan) -> ReadableSpan:
        """Return a redacted copy; the same but for the mark of its resource where nothing had to go."""
        redactor, changes = self._redactor, dict[str, object]()
        given, name, context, scope = span_attributes(span), span.name, span.context, span.instrumentation_scope
        attributes = redactor.attributes(given)
        if (clean_name := redactor.text(name)) is not name:
            changes["name"] = clean_name
        if (clean_context := _context(context, redactor)) is not context:
            changes["context"] = clean_context
        if (clean_scope := redactor.scope(scope)) is not scope:
            changes["instrumentation_scope"] = clean_scope
        status = span.status
        if status.description and (clean_status := _status(status, redactor)) is not status:
            changes["status"] = clean_status
        if given_events := span_events(span):
            events = [_event(each, redactor) for each in given_events if not _is_product(each)]
            if not _are_same(events, given_events):
                changes["events"] = events
        if given_links := span_links(span):
            attributes = {**attributes, LINKS_MARK: True}
            links = [_link(each, redactor) for each in given_links]
            if not _are_same(links, given_links):
                changes["links"] = links
        if attributes is not given:
            changes["attributes"] = attributes
        resource = redactor.marked_resource(span.resource)
        return copy_span(span, resource=resource, **changes) if changes else with_resource(span, resource)


def _is_product(event: Event) -> bool:
    return is_only_product_event(event.name, item_attributes(event.attributes))


def _are_same(new: Sequence[object], old: Sequence[object]) -> bool:
    return len(new) == len(old) and all(one is other for one, other in zip(new, old, strict=True))


def _context(context: SpanContext | None, redactor: Redactor) -> SpanContext | None:
    """Return `context` without those entries of the trace state that hold personal data."""
    if context is None or not context.trace_state:
        return context
    gone = [key for key, value in context.trace_state.items() if not redactor.keeps_state(key, value)]
    if not gone:
        return context
    state = context.trace_state
    for key in gone:
        state = state.delete(key)
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags, state)


def _without_state(context: SpanContext | None) -> SpanContext | None:
    return context and SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def _status(status: Status, redactor: Redactor) -> Status:
    text = status.description
    clean = redactor.text(text) if text else text
    return status if clean is text else Status(status.status_code, clean)


def _event(event: Event, redactor: Redactor) -> Event:
    given = item_attributes(event.attributes)
    name, attributes = redactor.text(event.name), redactor.attributes(given)
    if event.name == EXCEPTION:
        attributes = {**attributes, PROCESSED: True}
    if name is event.name and attributes is given:
        return event
    return Event(name, bounded(attributes, event.attributes), event.timestamp)


def _link(link: Link, redactor: Redactor) -> Link:
    given = item_attributes(link.attributes)
    attributes, context = redactor.attributes(given), _context(link.context, redactor) or link.context
    if attributes is given and context is link.context:
        return link
    return Link(context, bounded(attributes, link.attributes))
