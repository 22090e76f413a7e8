"""An app that knows posthog-python and nothing else: a function taken at import, a client, a context, an exception."""

from __future__ import annotations

import os
import uuid
from datetime import datetime, timezone
from typing import Any

import posthog
from posthog import Posthog, capture

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)


def fixed(number: int) -> dict[str, Any]:
    """Return a uuid and a time that are the same in each run."""
    return {"uuid": str(uuid.UUID(int=number)), "timestamp": AT}


def main() -> None:
    """Capture what an app captures, and end as it does."""
    # Releases differ in which of the two names counts.
    posthog.api_key = posthog.project_api_key = "phc_test"
    posthog.host = os.environ["APP_HOST"]
    capture("signed_up", distinct_id="user-31", properties={"plan": "pro", "$set": {"plan": "pro"}}, **fixed(1))
    with posthog.new_context():
        posthog.identify_context("user-31")
        posthog.tag("screen", "settings")
        posthog.capture("saved", groups={"company": "acme"}, **fixed(2))
    client = Posthog("phc_test", host=os.environ["APP_HOST"], super_properties={"app": "shop"})
    client.set(distinct_id="user-31", properties={"seats": 5}, **fixed(3))
    client.group_identify("company", "acme", {"size": 9}, **fixed(4))
    client.alias("visitor-8", "user-31", **fixed(5))
    client.capture("paid", distinct_id="user-31", properties={"note": os.environ.get("NOTE", "")}, **fixed(6))
    client.shutdown()
    posthog.shutdown()


if __name__ == "__main__":
    main()
