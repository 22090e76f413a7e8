"""Emits spans and events when it is told to, and says what that cost the emitting thread."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

import otel_posthog

COUNT, BURST = 500, 10
ATTRIBUTES: dict[str, str | int] = {
    "http.route": "/tickets/{id}",
    "http.request.method": "GET",
    "http.response.status_code": 200,
}
PROPERTIES = {"plan": "pro", "seats": 3}


def main() -> None:
    """Do so until standard input ends."""
    trace.set_tracer_provider(TracerProvider())
    set_logger_provider(LoggerProvider())
    otel_posthog.configure()
    tracer = trace.get_tracer("bench")

    def span() -> None:
        with tracer.start_as_current_span("GET /tickets/{id}", attributes=ATTRIBUTES):
            pass

    def event() -> None:
        otel_posthog.capture("ticket_created", PROPERTIES)

    for _ in sys.stdin:
        costs = {"span": cost_ns(span), "event": cost_ns(event), "burst": cost_ns(event, COUNT)}
        print(json.dumps(costs), flush=True)


def cost_ns(emit: Callable[[], None], burst: int = BURST) -> float:
    """Return what one call of `emit` takes of this thread's CPU time, of which so many come without a pause."""
    # What a collection takes is of whatever there is in the process, and comes when it comes.
    gc.collect()
    gc.disable()
    took = 0
    for _ in range(COUNT // burst):
        # As requests come; of a burst the worker gets behind, and what its queue does not take the thread handles.
        time.sleep(0.005)
        began = time.thread_time_ns()
        for _ in range(burst):
            emit()
        took += time.thread_time_ns() - began
    gc.enable()
    # So that the worker's and the inspector's work is not beside the next measurement.
    time.sleep(0.3)
    return took / COUNT


if __name__ == "__main__":
    main()
