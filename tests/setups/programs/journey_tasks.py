"""The task in the middle of a journey, which calls the service where that ends."""

from __future__ import annotations

import requests
from celery_app import app

from otel_posthog import journey, user_context

STEPS = ["profile", "workspace", "welcome"]


@app.task(name="make_workspace")  # type: ignore[untyped-decorator]
def make_workspace(journey_id: str, user: str, service: str) -> None:
    """Take a step, and call the service."""
    with user_context(user), journey("onboarding", resume=journey_id, steps=STEPS) as way:
        with way.step("workspace"):
            pass
        requests.post(f"{service}/welcome", json={"journey": way.pause(), "user": user}, timeout=30).raise_for_status()
