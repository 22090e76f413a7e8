"""A program that says everything the vocabulary has words for; the zero-code tests run it.

The first half imports OpenTelemetry only; the second half uses the functions of this package. It prints `done` last.
"""

from __future__ import annotations

import logging
import sys

from opentelemetry import trace
from opentelemetry._logs import get_logger

USER, VISITOR, COMPANY, TEAM = "u-4711", "visitor-0815", "acme-1234", "blue-5678"

tracer = trace.get_tracer("everything")
events = get_logger("everything")
log = logging.getLogger("everything")
log.setLevel(logging.INFO)


def with_opentelemetry_only() -> None:
    """Say it with spans, span events, log-based events and lines of `logging`."""
    attributes: dict[str, str | int] = {
        "analytics.event": "signed_up",
        "analytics.user.id": USER,
        "analytics.user.alias": VISITOR,
        "analytics.user.set.plan": "pro",
        "analytics.user.set_once.source": "ads",
        "analytics.group.company": COMPANY,
        "analytics.group.set.company.size": 5,
    }
    with tracer.start_as_current_span("sign up", attributes=attributes) as span:
        for number in range(130):
            span.add_event("analytics.step", {"analytics.number": number}, timestamp=span.start_time)  # type: ignore[attr-defined]
        events.emit(event_name="analytics.mail_sent", attributes={"analytics.user.id": USER})
        log.info("a line for %s", USER, extra={"analytics.event": "line_logged", "analytics.user.id": USER})
        log.info("an operational line")
        try:
            raise KeyError(USER)
        except KeyError:
            log.exception("failed", extra={"analytics.event": "import_failed", "analytics.user.id": USER})


def with_our_functions() -> None:
    """Say it in one line each."""
    from otel_posthog import (  # noqa: PLC0415
        AnalyticsEvents,
        alias,
        capture,
        create_event_properties,
        group_identify,
        identify,
        set,  # noqa: A004
        set_once,
        user_context,
    )

    searched = create_event_properties(AnalyticsEvents.SEARCH_PERFORMED, query_length=7)
    capture(AnalyticsEvents.SEARCH_PERFORMED, searched, distinct_id=USER, groups={"team": TEAM})
    identify(USER, {"plan": "team"})
    set(USER, {"seats": 3})
    with user_context(USER):
        set_once(properties={"first_seen": "today"})
        alias(VISITOR)
    group_identify("team", TEAM, {"size": 2})


if __name__ == "__main__":
    with_opentelemetry_only()
    with_our_functions()
    sys.stdout.write("done\n")
