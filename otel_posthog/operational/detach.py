"""Takes product data off a span as it ends.

Comes in: an ending span. Goes out: the same span without `analytics.*` attributes and product span events, so that
every processor and exporter of the app sees it clean. Runs on the thread that ends the span; a span that holds nothing
of ours is not touched.
"""

from __future__ import annotations

from opentelemetry.sdk.trace import Span

from otel_posthog.recogniser import has_product_attributes, is_only_product_event, without_product_attributes
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
    if not events:
        return
    kept = [each for each in events if not is_only_product_event(each.name, item_attributes(each.attributes))]
    if len(kept) < len(events):
        replace_events(span, kept)
