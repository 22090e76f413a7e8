"""What is compared, as one value: what is done, and what has to be waited for before another's turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.trace import Tracer

Operation = Callable[[], None]

PROPERTIES: dict[str, str | int | bool] = {
    "priority": "high",
    "channel": "web",
    "plan": "team",
    "attachments": 2,
    "is_first": True,
    "words": 31,
}
EVENT, SPAN_NAME = "ticket_created", "create ticket"
PRODUCT_ATTRIBUTES: dict[str, str | int | bool] = {
    "analytics.event": EVENT,
    **{f"analytics.property.{name}": value for name, value in PROPERTIES.items()},
}
OPERATIONAL_ATTRIBUTES: dict[str, str | int | bool] = {f"ticket.{name}": value for name, value in PROPERTIES.items()}


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to make spans or events.

    Attributes:
        name: As the tables call it.
        summary: What it is.
        product: Makes one product span, or event.
        operational: Makes one operational span; None for a contender that makes none.
        settle: Waits until its other threads have done what was handed to them.
    """

    name: str
    summary: str
    product: Operation
    operational: Operation | None
    settle: Operation


def span_maker(tracer: Tracer, attributes: dict[str, str | int | bool]) -> Operation:
    """Return what starts and ends one span with `attributes`."""
    start_span = tracer.start_span

    def make_span() -> None:
        start_span(SPAN_NAME, attributes=attributes).end()

    return make_span
