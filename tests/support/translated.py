"""Signals by hand, and what `translate` makes of them."""

from __future__ import annotations

from typing import Any

from otel_posthog.model import Event, Signal, Source
from otel_posthog.translate import translate

TIME_NS = 1_764_000_000_123_456_789


def signal(attributes: dict[str, Any] | None = None, **changes: Any) -> Signal:
    """Return a signal of a span, with `changes`."""
    given: dict[str, Any] = {"source": Source.SPAN, "name": "ticket_created", "time_ns": TIME_NS}
    return Signal(attributes=attributes or {}, **{**given, "trace_id": 0xABC, "span_id": 0xDEF, **changes})


def events(given: Signal, notes: list[str] | None = None) -> tuple[Event, ...]:
    """Return the events that `given` becomes; `notes` gets what had to be left out."""
    return translate(given, (notes if notes is not None else []).append)


def only(given: Signal, notes: list[str] | None = None) -> Event:
    """Return the one event that `given` becomes."""
    (event,) = events(given, notes)
    return event
