"""Product or operational? The one place that decides what a product event is.

Comes in: the name and attributes of a span, span event or log record. Goes out: the product event's name, or None.
Runs on application threads, so it only looks; it never keeps what it saw. Rules that derive product events from
operational telemetry (`derive`) will join here.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.model import Attributes

PREFIX = "analytics."
EVENT = "analytics.event"

RECORD_UID_KEY = "log.record.uid"
CONTENT_UID = "otel-posthog:"
"""Beginning of a `log.record.uid` that a Collector of ours made of a record's content, by a key."""

EXCEPTION = "exception"
EXCEPTION_TYPE = "exception.type"

PROCESSED = "otel_posthog.processed"
"""Attribute of an exception that an app with this package has exported. Whether it becomes an event was that app's to
decide, and its user's: a gateway behind it makes none of it."""


def product_name(event_name: str | None, attributes: Attributes) -> str | None:
    """Return the name of the product event that an item is, or None for an operational item.

    Args:
        event_name: A log record's or span event's name; None for a span, whose own name says nothing.
        attributes: The item's attributes; `analytics.event` wins over the name.
    """
    marked = attributes.get(EVENT)
    if marked is not None:
        return marked if isinstance(marked, str) else ""
    if isinstance(event_name, str) and event_name.startswith(PREFIX):
        return event_name[len(PREFIX) :]
    return None


def has_exception(event_name: str | None, attributes: Attributes) -> bool:
    """Return whether a span event or log record tells of an exception that nobody has decided about yet.

    Source: https://opentelemetry.io/docs/specs/semconv/exceptions/ (a span event's name must be `exception`, a log
    record has the attributes).

    Args:
        event_name: A span event's name; None for a log record.
        attributes: The item's attributes.
    """
    is_one = EXCEPTION_TYPE in attributes if event_name is None else event_name == EXCEPTION
    return is_one and PROCESSED not in attributes


def has_product_attributes(attributes: Mapping[str, object]) -> bool:
    """Return whether any attribute belongs to the product side."""
    # On every span of the app, where a call for each key would take twice the time, and `any` four times.
    try:
        for key in attributes:
            if PREFIX in key and key.startswith(PREFIX):
                return True
    except (AttributeError, TypeError):
        # A sampler sees attributes before the SDK has looked at them: a key may be anything.
        return any(isinstance(key, str) and key.startswith(PREFIX) for key in attributes)
    return False


def without_product_attributes(attributes: Mapping[str, object]) -> dict[str, object]:
    """Return the attributes that do not belong to the product side."""
    return {key: value for key, value in attributes.items() if not key.startswith(PREFIX)}
