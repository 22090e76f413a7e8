"""A web app that asks OpenFeature which button it shows, and has not one line about that for PostHog."""

from __future__ import annotations

import flask
from flagged import client, user

from otel_posthog import capture, set_user

USERS = [f"ada-{number}-lovelace" for number in range(5)]
app = flask.Flask(__name__)
flags = client()


@app.post("/buy")
def buy() -> str:
    """Sell something with the button of the user's variant."""
    who = flask.request.headers["X-User"]
    set_user(who)
    capture("basket_opened")
    color: str = flags.get_string_value("button", "#000", user(who))
    capture("bought", {"price": 3})
    return color


if __name__ == "__main__":
    browser = app.test_client()
    for each in USERS * 2:
        assert browser.post("/buy", headers={"X-User": each}).text == "#00f"
    print("done")  # noqa: T201
