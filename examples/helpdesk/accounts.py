"""Sign-up, log-in, log-out, and who is logged in.

Product events: `user_signed_up` (a log-based event) and `user_logged_in` (an attribute on the server's own span).
"""

from __future__ import annotations

import sqlite3

import flask
from flask.typing import ResponseReturnValue
from opentelemetry import trace
from werkzeug.security import check_password_hash, generate_password_hash

from . import database
from .telemetry import events, log, logins

pages = flask.Blueprint("accounts", __name__)

# Fast rather than strong: this is an example, and what it is an example of is telemetry.
HASH_METHOD = "pbkdf2:sha256:1000"


def current_customer() -> sqlite3.Row | None:
    """Return the row of the customer who is logged in, if any."""
    if "customer_id" not in flask.session:
        return None
    if "customer" not in flask.g:
        flask.g.customer = database.row("SELECT * FROM customers WHERE id = ?", flask.session["customer_id"])
    return flask.g.customer  # type: ignore[no-any-return]


def required_customer() -> sqlite3.Row:
    """Return the row of the customer who is logged in, or send the browser to the log-in page."""
    customer = current_customer()
    if customer is None:
        flask.abort(flask.redirect(flask.url_for("accounts.log_in")))
    # As many apps do for their operators, so that a trace can be found by who called about it.
    trace.get_current_span().set_attributes({"enduser.id": customer["number"], "user.email": customer["email"]})
    return customer


@pages.get("/sign-up")
def sign_up() -> ResponseReturnValue:
    """Show the form."""
    return flask.render_template("sign_up.html")


@pages.post("/sign-up")
def register() -> ResponseReturnValue:
    """Make an account and say so."""
    form = flask.request.form
    try:
        database.insert(
            "INSERT INTO customers (number, email, phone, plan, password_hash) VALUES (?, ?, ?, ?, ?)",
            *(form["number"], form["email"], form["phone"], form["plan"]),
            generate_password_hash(form["password"], HASH_METHOD),
        )
    except sqlite3.IntegrityError:
        flask.flash("There is an account with this e-mail already.")
        return flask.redirect(flask.url_for("accounts.sign_up"))
    _tell_sign_up(form["number"], form.to_dict())
    flask.flash("Welcome. Please log in.")
    return flask.redirect(flask.url_for("accounts.log_in"))


@pages.get("/login")
def log_in() -> ResponseReturnValue:
    """Show the form."""
    return flask.render_template("login.html", email=flask.request.args.get("email", ""))


@pages.post("/login")
def authenticate() -> ResponseReturnValue:
    """Check the password and start a session."""
    email, password = flask.request.form["email"], flask.request.form["password"]
    customer = database.row("SELECT * FROM customers WHERE email = ?", email)
    if customer is None or not check_password_hash(customer["password_hash"], password):
        log.warning("login of %s from %s failed with password=%s", email, flask.request.remote_addr, password)
        logins.add(1, {"outcome": "failure"})
        flask.flash("This e-mail and password do not match.")
        return flask.redirect(flask.url_for("accounts.log_in", email=email))
    flask.session["customer_id"] = customer["id"]
    logins.add(1, {"outcome": "success"})
    _tell_log_in(customer)
    return flask.redirect(flask.url_for("tickets.index"))


@pages.post("/logout")
def log_out() -> ResponseReturnValue:
    """End the session."""
    flask.session.clear()
    return flask.redirect(flask.url_for("accounts.log_in"))


def _tell_sign_up(number: str, form: dict[str, str]) -> None:
    # What was typed goes along, password and all: a habit that reviews keep finding.
    typed = {key: form[key] for key in ("email", "phone", "password")}
    events.emit(
        event_name="analytics.user_signed_up",
        attributes={
            "analytics.user.id": number,
            "analytics.property.plan": form["plan"],
            "analytics.property.source": "sign-up form",
            "analytics.property.form": typed,
        },
    )
    log.info("account made, welcome mail queued", extra={"mail.to": form["email"], "password": form["password"]})


def _tell_log_in(customer: sqlite3.Row) -> None:
    trace.get_current_span().set_attributes(
        {
            "analytics.event": "user_logged_in",
            "analytics.property.method": "password",
            "analytics.property.plan": customer["plan"],
            "analytics.property.address": flask.request.remote_addr or "",
            "user.id": customer["number"],
            "user.email": customer["email"],
        }
    )
    log.info("login from %s", flask.request.remote_addr, extra={"enduser.id": customer["number"]})
