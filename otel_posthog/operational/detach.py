"""Takes product data off a span as it ends.

Comes in: an ending span. Goes out: the same span without `analytics.*` attributes and product span events, so that
every processor and exporter of the app sees it clean. Runs on the thread that ends the span; a span that holds nothing
of ours is not touched.
"""

from __future__ import annotations

from opentelemetry.sdk.trace import Event, Span

from otel_posthog.model import Attributes
from otel_posthog.route import has_product_attributes, product_name, without_product_attributes
from otel_posthog.sdk import item_attributes, replace_attributes, replace_events, span_attributes, span_events


def detach(span: Span) -> None:
    """Take product attributes and product events off `span`.

    Raises:
        AttributeError: This SDK keeps a span's data elsewhere; the wrapped exporters then do the stripping.
    """
    attributes = span_attributes(span)
    if has_product_attributes(attributes):
        replace_attributes(span, without_product_attributes(attributes))
    events = span_events(span)
    kept = [each for each in events if not is_product_event(each)] if events else events
    if len(kept) < len(events):
        replace_events(span, kept)


def is_product_event(event: Event) -> bool:
    """Return whether a span event is a product event, and so not for the operational side."""
    return product_name(event.name, item_attributes(event.attributes)) is not None


def is_product_only(event_name: str | None, attributes: Attributes, body: object) -> bool:
    """Return whether a log record is nothing but a product event, and so not for the operational side.

    A line of text that is marked as a product event as well (`logger.info("...", extra={"analytics.event": ...})`) is
    both: it stays a log line, without the product attributes.
    """
    name = product_name(event_name, attributes)
    return name is not None and (not body or product_name(event_name, {}) is not None)
