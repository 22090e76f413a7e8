"""A small program without product events, that runs under `opentelemetry-instrument` in a state that it is told.

Arguments: none, `opted_out` or `denied`. It emits a server's span with an exception on it, a log record and a metric.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import metrics, trace
from opentelemetry._logs import LogRecord, get_logger


def main(state: str) -> None:
    """Emit one of each."""
    scope: AbstractContextManager[None] = nullcontext()
    if state:
        import otel_posthog  # noqa: PLC0415 - the app that has nothing of this package has no states either

        if state == "opted_out":
            otel_posthog.set_collection(enabled=False)
        else:
            scope = otel_posthog.user_context("u-1", consent=False)
    attributes = {"http.request.method": "GET", "http.route": "/orders"}
    with (
        scope,
        trace.get_tracer("shop").start_as_current_span("GET /orders", None, trace.SpanKind.SERVER, attributes) as span,
    ):
        span.record_exception(KeyError("x"))
        get_logger("shop").emit(LogRecord(body="job", event_name="job.done", attributes={"job": "mail"}))
    metrics.get_meter("shop").create_counter("orders").add(1)


if __name__ == "__main__":
    main("".join(sys.argv[1:]))
