"""The export, the slow report, and the refund that always fails.

Product event: `report_exported`, by the one-line helper `capture`, the only thing here that is not standard
OpenTelemetry; without `otel-posthog` installed the app runs all the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import flask
from flask.typing import ResponseReturnValue
from opentelemetry.trace import Status, StatusCode

from . import database
from .accounts import required_customer
from .telemetry import log, tracer
from .tickets import find

pages = flask.Blueprint("reports", __name__)


class RefundError(Exception):
    """The bank said no."""


@pages.get("/export.csv")
def export() -> ResponseReturnValue:
    """Return all tickets as CSV."""
    customer = required_customer()
    tickets = database.rows("SELECT id, subject, priority, channel, created_at FROM tickets ORDER BY id LIMIT 200")
    _capture(
        customer["number"],
        {
            "format": "csv",
            "rows_count": len(tickets),
            "plan": customer["plan"],
            "requested_by": customer["email"],
            "authorization": flask.request.headers.get("Authorization", ""),
        },
    )
    text = io.StringIO()
    csv.writer(text).writerows([("id", "subject", "priority", "channel", "created"), *map(tuple, tickets)])
    return flask.Response(text.getvalue(), mimetype="text/csv")


@pages.get("/report")
def monthly() -> ResponseReturnValue:
    """Show the year's figures, by a query that takes its time."""
    required_customer()
    counted = database.row(
        "WITH RECURSIVE days(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM days WHERE n < 60000)"
        " SELECT count(*) AS days, (SELECT count(*) FROM tickets) AS tickets FROM days"
    )
    by_priority = database.rows("SELECT priority, count(*) AS tickets FROM tickets GROUP BY priority")
    log.warning("slow query: the report counted %d days", counted["days"] if counted else 0)
    return flask.render_template("report.html", by_priority=by_priority, counted=counted)


@pages.post("/tickets/<int:ticket_id>/refund")
def refund(ticket_id: int) -> ResponseReturnValue:
    """Refund a ticket, which never works: the error path."""
    customer, ticket, card = required_customer(), find(ticket_id), flask.request.form["card"]
    with tracer.start_as_current_span("refund.charge") as span:
        span.set_status(Status(StatusCode.ERROR, f"the bank declined {card}"))
        log.error("refund for ticket %d failed: card %s of %s was declined", ticket["id"], card, customer["email"])
        raise RefundError(f"refund to {customer['email']} failed, card {card} was declined")


def _capture(customer_number: str, properties: Mapping[str, object]) -> None:
    try:
        from otel_posthog import capture  # noqa: PLC0415
    except ImportError:
        return
    capture("report_exported", properties, distinct_id=customer_number)
