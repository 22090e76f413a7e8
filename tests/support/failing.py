"""Raises exceptions full of what must not be sent; run by itself, inside spans, for the zero-code tests.

Every line below counts: tests name some of them.
"""

from __future__ import annotations

import logging
import sys

from opentelemetry import trace

SOURCE = "planted-in-the-source"


class Order:
    """Something that fails."""

    class Declined(Exception):  # noqa: N818 - as apps name theirs
        """A class in a class."""

    def pay(self, message: str, local: str) -> None:
        """Raise from what was raised below."""
        try:
            charge(message, local)
        except KeyError as error:
            raise Order.Declined(message) from error


def charge(message: str, local: str) -> None:
    """Raise with a local variable and a literal in the frame."""
    held = [local, "planted-in-the-source"]
    raise KeyError(message, "planted-in-the-source", held)


def fail(tracer: trace.Tracer, attributes: dict[str, str]) -> None:
    """Fail inside a span, and log it as a product event."""
    try:
        with tracer.start_as_current_span("pay", attributes=attributes):
            Order().pay("planted-in-the-message", "planted-in-a-local")
    except Order.Declined:
        logging.getLogger("failing").exception("failed", extra={"analytics.event": "payment_failed"})


def main() -> None:
    """Fail inside a product span, an operational span and a marked log line."""
    tracer = trace.get_tracer("failing")
    fail(tracer, {"analytics.event": "order_paid", "analytics.user.id": "u-4711"})
    fail(tracer, {"http.route": "/idle"})
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
