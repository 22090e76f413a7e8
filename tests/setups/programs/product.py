"""What every program here does: one product event of each kind, numbered, on a span that holds personal data."""

from __future__ import annotations

import os

from opentelemetry import trace
from opentelemetry._logs import get_logger

MAIL = "ada.lovelace@example.org"
PER_CALL = 3


def work(number: int, tracer: trace.Tracer | None = None) -> None:
    """Emit `spanned`, `noted` and `emitted` with the property `n`."""
    maker = tracer or trace.get_tracer("product")
    attributes: dict[str, str | int] = {"analytics.event": "spanned", "analytics.n": number, "customer": MAIL}
    with maker.start_as_current_span("work", attributes=attributes) as span:
        span.set_attribute("analytics.pid", os.getpid())
        span.add_event("analytics.noted", {"analytics.n": number})
        get_logger("product").emit(event_name="analytics.emitted", attributes={"analytics.n": number, "to": MAIL})
