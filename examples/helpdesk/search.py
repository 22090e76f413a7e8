"""Search all tickets.

Product event: `search_performed`, an ordinary line of the standard library's `logging` with `extra=` attributes. The
line stays on the operational side; what makes it a product event leaves it.
"""

from __future__ import annotations

import time

import flask
from flask.typing import ResponseReturnValue

from . import database
from .accounts import required_customer
from .telemetry import log, search_duration

pages = flask.Blueprint("search", __name__)


@pages.get("/search")
def results() -> ResponseReturnValue:
    """Show the tickets that contain the words looked for."""
    customer, words = required_customer(), flask.request.args.get("q", "").strip()
    started_s = time.perf_counter()
    found = database.rows(
        "SELECT * FROM tickets WHERE subject LIKE ?1 OR comment LIKE ?1 ORDER BY id DESC LIMIT 50", f"%{words}%"
    )
    duration_ms = (time.perf_counter() - started_s) * 1000
    search_duration.record(duration_ms)
    if words:
        log.info(
            "%s searched for %r",
            customer["email"],
            words,
            extra={
                "analytics.event": "search_performed",
                "analytics.user.id": customer["number"],
                "analytics.property.results_count": len(found),
                "analytics.property.duration_ms": round(duration_ms, 3),
                "analytics.property.query": words,
            },
        )
    return flask.render_template("search.html", words=words, tickets=found)
