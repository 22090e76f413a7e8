"""Put the helpdesk together: the Flask app, its pages and its database."""

from __future__ import annotations

import os
import secrets

import flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import accounts, customers, database, reports, search, tickets


def create_app(database_path: str) -> flask.Flask:
    """Return the app on the SQLite file `database_path`, which is made when missing."""
    app = flask.Flask(__name__.rpartition(".")[0], template_folder="templates")
    app.secret_key = os.environ.get("HELPDESK_SECRET_KEY") or secrets.token_hex(32)
    # As behind any load balancer: the client's address is the one that the proxy saw.
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    database.initialise(app, database_path)
    for pages in (accounts.pages, customers.pages, reports.pages, search.pages, tickets.pages):
        app.register_blueprint(pages)
    app.add_url_rule("/", view_func=_home)
    app.add_url_rule("/health", view_func=_health)
    app.register_error_handler(500, _sorry)
    app.context_processor(lambda: {"customer": accounts.current_customer()})
    return app


def _home() -> flask.typing.ResponseReturnValue:
    return flask.redirect(flask.url_for("tickets.index"))


def _health() -> flask.typing.ResponseReturnValue:
    return {"status": "ok"}


def _sorry(_error: Exception) -> flask.typing.ResponseReturnValue:
    return flask.render_template("error.html"), 500
