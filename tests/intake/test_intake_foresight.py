"""Whether a request's span will be a product event, asked as its response is ready: never no where it will be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from telemetry import Telemetry

from otel_posthog.actor import current_record
from otel_posthog.intake.foresight import foresees
from otel_posthog.policy import FrozenMap, Policy
from otel_posthog.policy.sections.collection import ExceptionItems, ExceptionPolicy
from otel_posthog.policy.sections.derive import (
    DeriveConditions,
    DeriveKind,
    DeriveRule,
    DeriveSignal,
    DeriveStatus,
    ValueCondition,
)
from otel_posthog.recogniser import Recogniser

STATUS = "http.response.status_code"


def rule(signal: DeriveSignal = DeriveSignal.SPAN, **conditions: Any) -> DeriveRule:
    """Return a rule with these conditions; `__` in the name of an attribute stands for a dot."""
    attributes = {
        name.replace("__", "."): value for name, value in conditions.items() if isinstance(value, ValueCondition)
    }
    others = {name: value for name, value in conditions.items() if not isinstance(value, ValueCondition)}
    return DeriveRule("x", "x", DeriveConditions(signal=signal, attributes=FrozenMap(attributes), **others))


SERVER = (DeriveKind.SERVER,)
PRESENT, ABSENT = ValueCondition(present=True), ValueCondition(present=False)


@pytest.mark.parametrize(
    ("given_rule", "status_code", "expected"),
    [
        (rule(kind=SERVER), 200, True),
        (rule(kind=(DeriveKind.CLIENT,)), 200, False),
        (rule(http__response__status_code=ValueCondition(min=500)), 200, False),
        (rule(http__response__status_code=ValueCondition(min=500)), 503, True),
        (rule(http__response__status_code=ValueCondition(min=500)), None, True),
        (rule(status=(DeriveStatus.ERROR,)), 200, False),
        (rule(status=(DeriveStatus.ERROR,)), 500, True),
        (rule(http__route=PRESENT), 200, True),
        (rule(http__route=ABSENT), 200, False),
        (rule(http__request__method=ValueCondition(equals="GET")), 200, True),
        (rule(http__request__method=ValueCondition(equals="POST")), 200, False),
        (rule(http__response__body__size=PRESENT), 200, True),
        (rule(error__type=PRESENT), 200, False),
        (rule(error__type=PRESENT), 500, True),
        (rule(min_duration_ms=60_000.0), 200, False),
        (rule(min_duration_ms=10.0), 200, True),
        (rule(max_duration_ms=60_000.0), 200, True),
        (rule(span_name=("GET *",)), 200, True),
        (rule(span_name=("POST *",)), 200, False),
        (rule(scope=("other",)), 200, False),
        (rule(DeriveSignal.LOG), 200, False),
        (rule(DeriveSignal.SPAN_EVENT, event_name=("noted",)), 200, True),
        (rule(DeriveSignal.SPAN_EVENT, event_name=("other",)), 200, False),
    ],
)
def test_what_a_rule_asks_is_answered_by_what_is_known(
    given_rule: DeriveRule, status_code: int | None, expected: bool
) -> None:
    """By the response's status, what the span has by then, and how long it has taken."""
    with (
        Telemetry() as app,
        app.tracer.start_as_current_span(
            "GET /shop", kind=SpanKind.SERVER, attributes={"http.method": "GET", "http.route": "/shop"}
        ) as span,
    ):
        span.add_event("noted")
        record = current_record()
        assert record is not None
        assert foresees(Recogniser(Policy(derive=(given_rule,))), record, status_code) is expected


def test_an_app_that_marks_the_requests_span_has_it_foreseen() -> None:
    """By an attribute, or by an event on it; without either nothing is to come."""
    for mark, expected in (({}, False), ({"analytics.event": "e"}, True)):
        with (
            Telemetry() as app,
            app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes=mark) as span,
        ):
            record = current_record()
            assert record is not None
            assert foresees(Recogniser(Policy()), record, 200) is expected
            span.add_event("analytics.noted")
            assert foresees(Recogniser(Policy()), record, 200)


@pytest.mark.parametrize("status_code", [200, 500])
@pytest.mark.parametrize("items", ExceptionItems)
def test_an_exception_to_come_is_foreseen_where_it_is_an_event(status_code: int, items: ExceptionItems) -> None:
    """Only of a response that failed."""
    with Telemetry() as app, app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
        record = current_record()
        assert record is not None
        recogniser = Recogniser(Policy(exceptions=ExceptionPolicy(recorded_on=items)))
        assert foresees(recogniser, record, status_code) is (status_code == 500 and items is ExceptionItems.ALL)


CONDITION = st.sampled_from(
    [
        PRESENT,
        ABSENT,
        ValueCondition(equals="200"),
        ValueCondition(one_of=("GET", "/shop")),
        ValueCondition(min=400),
        ValueCondition(max=299),
        ValueCondition(prefix="/s"),
        ValueCondition(not_glob=("/s*",)),
    ]
)
KEYS = st.sampled_from(["http.route", "http.request.method", STATUS, "error.type", "http.response.body.size", "plan"])
RULES = st.builds(
    lambda attributes, status: DeriveRule(
        "x", "x", DeriveConditions(kind=SERVER, status=status, attributes=FrozenMap(attributes))
    ),
    st.dictionaries(KEYS, CONDITION, max_size=3),
    st.sampled_from([(), (DeriveStatus.ERROR,), (DeriveStatus.UNSET,)]),
)
BEFORE = st.dictionaries(
    st.sampled_from(["http.route", "http.method", "plan"]), st.sampled_from(["/shop", "GET"]), max_size=3
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, BEFORE, st.sampled_from([200, 302, 404, 500, 503]), st.booleans())
def test_no_event_of_a_requests_span_comes_unforeseen(
    given_rule: DeriveRule, before: Mapping[str, str], status_code: int, is_old: bool
) -> None:
    """Whatever the rule, the span and the response: as instrumentations end spans, in either convention."""
    with Telemetry(derive=(given_rule,)) as app:
        span = app.tracer.start_span("GET /shop", kind=SpanKind.SERVER, attributes=before)
        record = current_record(trace.set_span_in_context(span))
        assert record is not None
        foreseen = foresees(Recogniser(Policy(derive=(given_rule,))), record, status_code)
        span.set_attribute("http.status_code" if is_old else STATUS, status_code)
        if status_code >= 500:
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", str(status_code))
        span.set_attribute("http.response.body.size", 7)
        span.end()
        assert foreseen or not app.events
