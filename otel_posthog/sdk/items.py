"""Items that are over: which of several that see one is the first, and copies of it in which something is another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, cast

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util import BoundedList

_taken = count(1)


def is_first_to_take(item: object) -> bool:
    """Return whether this is the first call for a live span, or for a log record's attributes.

    A batch processor copies records before later processors see them; what all copies share is the attributes' object.
    Where an item cannot be marked each call is the first: the event has the same uuid each time.
    """
    if taken_as(item):
        return False
    try:  # noqa: SIM105 - for each product event; `suppress` takes three times as long
        item._otel_posthog_taken = next(_taken)  # type: ignore[attr-defined]  # noqa: SLF001
    except (AttributeError, TypeError):
        pass
    return True


def taken_as(item: object) -> int:
    """Return the item's number among those taken in this process; 0 where it was not taken or cannot be marked."""
    return getattr(item, "_otel_posthog_taken", 0)


def bounded(attributes: Mapping[str, Any], like: object) -> BoundedAttributes:
    """Return `attributes` as the SDK keeps them, with the limits and the count of dropped ones of `like`."""
    limits = like if isinstance(like, BoundedAttributes) else BoundedAttributes()
    # SDK 1.41 takes maps, nothing and raw bytes in log records' attributes only, which say so; later ones everywhere.
    takes_more = {"extended_attributes": True} if getattr(limits, "_extended_attributes", False) else {}
    make: Any = BoundedAttributes
    result = make(limits.maxlen, attributes, immutable=True, max_value_len=limits.max_value_len, **takes_more)
    result.dropped = limits.dropped
    return cast("BoundedAttributes", result)


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
            changes[name] = like_list(changes[name], kept[name])
    return ReadableSpan(**{**kept, **changes})


def with_resource(span: ReadableSpan, resource: Resource) -> ReadableSpan:
    """Return a span that is `span` in all but its resource; without a copy of what is in it."""
    try:
        made = ReadableSpan.__new__(ReadableSpan)
        made.__dict__.update(span.__dict__)
        made._resource = resource  # noqa: SLF001
        if made.resource is resource and made.context is span.context:
            return made
    except (AttributeError, TypeError):
        pass
    return copy_span(span, resource=resource)


def like_list(items: Iterable[object], like: object) -> BoundedList[object]:
    """Return `items` as the SDK keeps lists, with the count of dropped ones of `like`."""
    result = BoundedList.from_seq(None, list(items))
    result.dropped = getattr(like, "dropped", 0)
    return result
