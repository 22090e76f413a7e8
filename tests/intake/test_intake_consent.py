"""Consent, from wherever it is said: a denial anywhere wins, and reaches everything that happens within."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.trace import SpanKind
from telemetry import Telemetry

from otel_posthog.actor.context import user_context
from otel_posthog.policy import CollectionPolicy

PRODUCT = {"analytics.event": "e"}


@pytest.mark.parametrize("key", ["http.request.header.sec_gpc", "http.request.header.sec-gpc"])
@pytest.mark.parametrize("value", [("1",), ["1"], "1"])
def test_a_request_with_sec_gpc_is_an_objection_to_all_that_happens_within_it(key: str, value: Any) -> None:
    """The request's own event, its span events, spans below it however deep, and logs."""
    with Telemetry() as app, app.tracer.start_as_current_span("GET /", attributes={**PRODUCT, key: value}) as request:
        request.add_event("analytics.inside")
        with app.tracer.start_as_current_span("a"), app.tracer.start_as_current_span("b", attributes=PRODUCT):
            app.logger.emit(event_name="analytics.logged")
    assert app.names == []
    assert app.dropped == {"consent": 4}


GPC = ["http.request.header.sec_gpc", "http.request.header.sec-gpc"]
DNT = ["http.request.header.dnt"]
# As a proxy that repeats, joins or spells them differently hands them on; nobody knows what somebody meant by `true`.
TEXTS = ["1", " 1 ", "1,1", "0, 1", "", "yes", "01", "0;x", "[REDACTED]"]
OBJECTIONS = [*TEXTS, ("1", "1"), ("1, 1",), ("0", "1"), ("",), ("true",), 1, True, 2, 1.5, b"1"]
NO_OBJECTIONS = ["0", " 0", ("0",), ("0", "0"), "0, 0", "0,0", (), 0, False]


@pytest.mark.parametrize("key", [*GPC, *DNT])
@pytest.mark.parametrize("value", OBJECTIONS, ids=repr)
def test_a_header_that_is_there_and_no_explicit_0_objects(key: str, value: Any) -> None:
    """`Sec-GPC` and `DNT`, in whatever way; on the request's span, on one inside it, on the item itself."""
    with Telemetry() as app:
        for kind in (SpanKind.SERVER, SpanKind.INTERNAL):
            with app.tracer.start_as_current_span("GET /", kind=kind, attributes={key: value}):
                app.logger.emit(event_name="analytics.logged")
            with app.tracer.start_as_current_span("GET /", kind=kind) as span:
                span.set_attributes({key: value, "http.route": "/"})
                app.logger.emit(event_name="analytics.logged")
        app.logger.emit(event_name="analytics.logged", attributes={key: value})
        app.logger.emit(event_name="analytics.elsewhere")
    assert (app.names, app.dropped) == (["elsewhere"], {"consent": 5})


@pytest.mark.parametrize("key", [*GPC, *DNT])
@pytest.mark.parametrize("value", NO_OBJECTIONS, ids=repr)
def test_an_explicit_0_is_no_objection(key: str, value: Any) -> None:
    """Nor is a header that was not sent."""
    with Telemetry() as app, app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER) as span:
        span.set_attribute(key, value)
        app.logger.emit(event_name="analytics.logged")
    assert app.names == ["logged"]


def test_a_policy_may_leave_dnt_unheeded_and_never_gpc() -> None:
    """`collection.heed_dnt: false`: some browsers send it for people who never said so."""
    with Telemetry(collection=CollectionPolicy(heed_dnt=False)) as app:
        for key in (*DNT, *GPC):
            with app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes={key: "1"}):
                app.logger.emit(event_name=f"analytics.{key}")
    assert app.names == DNT


def test_the_next_request_is_its_own() -> None:
    """An objection ends with its request."""
    with Telemetry() as app:
        with app.tracer.start_as_current_span("GET /", attributes={"http.request.header.sec_gpc": ("1",)}):
            app.logger.emit(event_name="analytics.no")
        with app.tracer.start_as_current_span("GET /"):
            app.logger.emit(event_name="analytics.yes")
    assert app.names == ["yes"]


def test_a_denial_in_context_where_a_span_starts_or_ends_wins() -> None:
    """Also for a span that started before the denial, or ends after it, and for what runs below it."""
    with Telemetry() as app:
        outside = app.tracer.start_span("a", attributes=PRODUCT)
        with user_context("u1", consent=False):
            outside.end()
            inside = app.tracer.start_span("b", attributes=PRODUCT)
        inside.end()
        with user_context("u1"):
            known = app.tracer.start_span("known", attributes=PRODUCT)
        with user_context("u1", consent=False):
            known.end()
        with user_context("u1", consent=True):
            app.tracer.start_span("c", attributes={**PRODUCT, "analytics.consent": False}).end()
            app.tracer.start_span("d", attributes={**PRODUCT, "analytics.event": "agreed"}).end()
    assert app.names == ["agreed"]
    assert app.dropped == {"consent": 4}
