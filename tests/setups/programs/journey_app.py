"""A web app and a second service in one: onboarding begins in a request, goes on in a task, and ends in the service."""

from __future__ import annotations

import sys

import flask
from journey_tasks import STEPS, make_workspace

from otel_posthog import journey, set_user, user_context

app = flask.Flask(__name__)
app.secret_key = "not a secret"


@app.post("/onboarding")
def begin() -> str:
    """Take the first step, and have a task take the next."""
    user = flask.request.json["user"]
    set_user(user)
    with journey("onboarding", steps=STEPS) as way:
        with way.step("profile"):
            pass
        make_workspace.delay(way.pause(), user, flask.request.json["service"])
    return way.id


@app.post("/welcome")
def welcome() -> str:
    """Take the last step; of this service, who acts is told by whoever calls it."""
    asked = flask.request.json
    assert asked is not None
    on_the_way = journey("onboarding", resume=asked["journey"], steps=STEPS)
    with user_context(asked["user"]), on_the_way as way, way.step("welcome"):
        return way.id


@app.post("/tour")
def tour() -> str:
    """Go on with a tour where the last request left it."""
    asked = flask.request.json
    assert asked is not None
    set_user(asked["user"])
    with journey("tour", resume=flask.session.get("tour")) as way, way.step(asked["page"]):
        if asked["page"] == "broken":
            raise LookupError("no page for anybody")
        flask.session["tour"] = way.pause()
    return way.id


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]))
