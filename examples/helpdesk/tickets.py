"""Tickets: list, create, read, reply.

Product events: `ticket_created` (attributes on a span), `ticket_viewed` (a span event named for it) and
`ticket_replied` (a span event of another name, with an attribute).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import flask
from flask.typing import ResponseReturnValue
from opentelemetry import trace

from . import database
from .accounts import required_customer
from .telemetry import log, tickets_created, tracer

pages = flask.Blueprint("tickets", __name__)


@pages.get("/tickets")
def index() -> ResponseReturnValue:
    """List the newest tickets."""
    required_customer()
    newest = database.rows("SELECT * FROM tickets ORDER BY id DESC LIMIT 50")
    log.info("ticket list shown", extra={"tickets": len(newest)})
    return flask.render_template("tickets.html", tickets=newest)


@pages.get("/tickets/new")
def draft() -> ResponseReturnValue:
    """Show the form."""
    required_customer()
    return flask.render_template("new_ticket.html")


@pages.post("/tickets")
def create() -> ResponseReturnValue:
    """Make a ticket: one span, which is the product event as well."""
    customer, form = required_customer(), flask.request.form
    with tracer.start_as_current_span(
        "ticket.create",
        attributes={
            "analytics.event": "ticket_created",
            "analytics.user.id": customer["number"],
            "analytics.property.priority": form["priority"],
            "analytics.property.channel": form["channel"],
            "analytics.plan": customer["plan"],
            "analytics.property.comment": form["comment"],
            "analytics.property.customer_email": customer["email"],
        },
    ) as span:
        ticket_id = _insert(customer, form, span.get_span_context())
        span.set_attributes({"analytics.property.ticket_id": ticket_id, "helpdesk.ticket.id": ticket_id})
    tickets_created.add(1, {"priority": form["priority"], "customer": customer["email"]})
    log.info("ticket %d created, call back at %s", ticket_id, customer["phone"])
    return flask.redirect(flask.url_for("tickets.show", ticket_id=ticket_id))


@pages.get("/tickets/<int:ticket_id>")
def show(ticket_id: int) -> ResponseReturnValue:
    """Show a ticket with its replies."""
    customer, ticket = required_customer(), find(ticket_id)
    replies = database.rows("SELECT * FROM replies WHERE ticket_id = ? ORDER BY id", ticket_id)
    trace.get_current_span().add_event(
        "analytics.ticket_viewed",
        {
            "analytics.user.id": customer["number"],
            "analytics.property.priority": ticket["priority"],
            "analytics.property.replies_count": len(replies),
            "analytics.property.viewer": customer["email"],
        },
    )
    return flask.render_template("ticket.html", ticket=ticket, replies=replies)


@pages.post("/tickets/<int:ticket_id>/replies")
def reply(ticket_id: int) -> ResponseReturnValue:
    """Add a reply and mail it; the span links back to the one that made the ticket."""
    customer, ticket, text = required_customer(), find(ticket_id), flask.request.form["text"]
    links = [trace.Link(_span_context(ticket["trace"]), {"helpdesk.requester": customer["email"]})]
    with tracer.start_as_current_span("ticket.reply", links=links) as span:
        database.insert(
            "INSERT INTO replies (ticket_id, author, text) VALUES (?, ?, ?)", ticket_id, customer["email"], text
        )
        span.add_event("mail.sent", {"mail.to": customer["email"], "mail.template": "reply"})
        span.add_event(
            "reply.stored",
            {
                "analytics.event": "ticket_replied",
                "enduser.id": customer["number"],
                "analytics.property.text_chars": len(text),
                "analytics.property.text": text,
            },
        )
    return flask.redirect(flask.url_for("tickets.show", ticket_id=ticket_id))


def find(ticket_id: int) -> sqlite3.Row:
    """Return a ticket's row, or answer that there is none."""
    ticket = database.row("SELECT * FROM tickets WHERE id = ?", ticket_id)
    if ticket is None:
        flask.abort(404)
    return ticket


def _insert(customer: sqlite3.Row, form: Mapping[str, str], context: trace.SpanContext) -> int:
    return database.insert(
        "INSERT INTO tickets (customer_id, subject, priority, channel, comment, trace) VALUES (?, ?, ?, ?, ?, ?)",
        *(customer["id"], form["subject"], form["priority"], form["channel"], form["comment"]),
        f"{context.trace_id:032x}-{context.span_id:016x}",
    )


def _span_context(stored: str) -> trace.SpanContext:
    trace_id, _, span_id = stored.partition("-")
    return trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True)
