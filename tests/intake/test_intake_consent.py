"""Consent, from wherever it is said: a denial anywhere wins, and reaches everything that happens within."""

from __future__ import annotations

from typing import Any

import pytest
from telemetry import Telemetry

from otel_posthog.context import user_context

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


@pytest.mark.parametrize("value", [("0",), (), "", ("true",), 1, True])
def test_anything_but_1_is_no_objection(value: Any) -> None:
    """As the specification of the header has it."""
    with (
        Telemetry() as app,
        app.tracer.start_as_current_span("GET /", attributes={"http.request.header.sec_gpc": value}),
    ):
        app.logger.emit(event_name="analytics.logged")
    assert app.names == ["logged"]


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
