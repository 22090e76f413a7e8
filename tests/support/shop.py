"""A small program that the zero-code tests run under `opentelemetry-instrument`; it imports OpenTelemetry only.

Arguments: how many orders. It prints `done` on its last line, so that a test knows that it ran to its end.
"""

from __future__ import annotations

import logging
import sys

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger

MAIL, CARD, PHONE = "ada.lovelace@example.org", "4111 1111 1111 1111", "+49 151 2345 6789"

tracer = trace.get_tracer("shop")
events = get_logger("shop")
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
orders = metrics.get_meter("shop").create_counter("shop.orders")


def order(number: int) -> None:
    """Make one order: a request span with a product child, a span event, two logs and a metric."""
    attributes = {"http.route": "/order", "url.full": f"https://shop.example/order?mail={MAIL}", "user.id": "u-4711"}
    with tracer.start_as_current_span(f"GET /order/{MAIL}", attributes=attributes) as request:
        with tracer.start_as_current_span("place", attributes={"analytics.event": "order_placed"}) as span:
            span.set_attribute("analytics.user.id", "u-4711")
            span.set_attribute("analytics.property.total", 10 + number)
            span.set_attribute("analytics.property.note", f"call {PHONE} or write {MAIL}, card {CARD}")
            span.add_event("stock.checked", {"mail": MAIL})
            span.add_event("analytics.coupon_used", {"analytics.code": "SPRING"})
        events.emit(event_name="analytics.receipt_sent", attributes={"analytics.channel": "mail", "to": MAIL})
        log.info("order by %s", MAIL, extra={"analytics.event": "order_logged", "analytics.n": number})
        log.info("stock is low")
        orders.add(1, {"customer": MAIL})
        request.set_status(trace.StatusCode.ERROR, f"no receipt for {MAIL}")


def main() -> None:
    """Make the orders."""
    for number in range(int(sys.argv[1])):
        order(number)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
