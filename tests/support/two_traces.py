"""A program for the tests of integrations: a trace that its caller sampled, one that it did not, all kinds of items.

Arguments: the integrations that the program uses itself (`configure`, `instrumentor`, `components`), in this order. It
prints `done` on its last line.
"""

from __future__ import annotations

import logging
import sys

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger, get_logger_provider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

MAIL = "ada.lovelace@example.org"


def set_up_by(names: list[str]) -> None:
    """Open what the command line names."""
    for name in names:
        if name == "configure":
            from otel_posthog import configure  # noqa: PLC0415

            configure()
        elif name == "instrumentor":
            from otel_posthog_instrumentation import PostHogInstrumentor  # noqa: PLC0415

            PostHogInstrumentor().instrument(sampler="all")
        else:
            from otel_posthog import AnalyticsLogRecordProcessor, AnalyticsSpanProcessor  # noqa: PLC0415

            trace.get_tracer_provider().add_span_processor(AnalyticsSpanProcessor())  # type: ignore[attr-defined]
            get_logger_provider().add_log_record_processor(AnalyticsLogRecordProcessor())  # type: ignore[attr-defined]


def work(kind: str, flags: TraceFlags, number: int) -> None:
    """Make a request's span with a product child and a span event, under a caller's span."""
    caller = SpanContext(trace_id=number, span_id=number, is_remote=True, trace_flags=flags)
    context = trace.set_span_in_context(NonRecordingSpan(caller))
    tracer = trace.get_tracer("two_traces")
    with tracer.start_as_current_span(f"GET {kind}", context, attributes={"customer": MAIL}) as request:
        with tracer.start_as_current_span("work", attributes={"analytics.event": f"{kind}_span"}):
            pass
        request.add_event(f"analytics.{kind}_span_event", {"analytics.n": number})
        request.add_event("cache.miss", {"customer": MAIL})


def main() -> None:
    """Do the work of both traces, then emit logs and a metric outside of any."""
    from otel_posthog import user_context  # noqa: PLC0415 - after the process has started as any other

    log = logging.getLogger("two_traces")
    log.setLevel(logging.INFO)
    set_up_by(sys.argv[1:])
    with user_context("ctx-0815"):
        work("sampled", TraceFlags(TraceFlags.SAMPLED), 1)
        work("unsampled", TraceFlags(TraceFlags.DEFAULT), 2)
        get_logger("two_traces").emit(event_name="analytics.emitted", attributes={"analytics.n": 1})
        log.info("order by %s", MAIL, extra={"analytics.event": "logged"})
    log.info("stock is low, tell %s", MAIL)
    metrics.get_meter("two_traces").create_counter("orders").add(1, {"customer": MAIL})
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
