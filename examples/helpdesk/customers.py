"""A customer's own page, and the keys they store for their integrations.

Nothing here is a product event; it is where operational telemetry picks up personal data by mistake: an address in a
URL's path, in a span's name and in SQL, a secret in a line of the log.
"""

from __future__ import annotations

import flask
from flask.typing import ResponseReturnValue

from . import database
from .accounts import required_customer
from .telemetry import log, tracer

pages = flask.Blueprint("customers", __name__)


@pages.get("/customers/<email>")
def show(email: str) -> ResponseReturnValue:
    """Show a customer's own tickets."""
    customer = required_customer()
    if email != customer["email"]:
        flask.abort(403)
    literal = email.replace("'", "''")
    with tracer.start_as_current_span(f"look up {email}"):
        # A literal in the statement, as hand-written SQL has it; the value was compared with a stored one above.
        tickets = database.rows(
            "SELECT tickets.* FROM tickets JOIN customers ON customers.id = customer_id"
            f" WHERE email = '{literal}' ORDER BY tickets.id DESC"
        )
    return flask.render_template("customer.html", tickets=tickets)


@pages.post("/customers/<email>/integration")
def connect(email: str) -> ResponseReturnValue:
    """Store the key of an integration and try it."""
    required_customer()
    log.info("integration saved with key %s", flask.request.form["api_key"])
    log.warning("integration answered 401 to Authorization: %s", flask.request.headers.get("Authorization", "none"))
    flask.flash("The integration is saved.")
    return flask.redirect(flask.url_for("customers.show", email=email))
