"""A service that acts for a user and calls another one: in a coroutine, and in a thread that it starts.

Arguments: the other service's URL. It imports OpenTelemetry and our public names only, and prints `done`.
"""

from __future__ import annotations

import asyncio
import sys
import threading

import requests
from opentelemetry import trace

from otel_posthog import capture, user_context

tracer = trace.get_tracer("front")


def call(place: str) -> None:
    """Call the other service."""
    with tracer.start_as_current_span(place, attributes={"analytics.event": f"front_{place}"}):
        requests.get(f"{sys.argv[1]}/{place}", timeout=20).raise_for_status()


async def act() -> None:
    """Act after an await, and in a thread."""
    with user_context("u-4711-ada", session_id="session-0815"):
        await asyncio.sleep(0)
        call("awaited")
        thread = threading.Thread(target=call, args=("threaded",))
        thread.start()
        thread.join()
    with user_context("u-4711-ada", consent=False):
        call("denied")
    capture("nobody_any_more")


asyncio.run(act())
sys.stdout.write("done\n")
