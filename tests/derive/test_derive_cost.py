"""What rules cost a span that none is about: few calls, however many rules and values there are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanKind, StatusCode

from benchmarks.derive import RARE, UNMATCHED, ended
from otel_posthog import matcher, residual
from otel_posthog.intake.otlp.records import SpanRecord
from otel_posthog.intake.signals import record_signals, span_signals
from otel_posthog.policy import DeriveConditions, DeriveRule, FrozenMap, Policy, ValueCondition
from otel_posthog.policy.shipped_rules import GROUPS
from otel_posthog.recogniser import Recogniser
from otel_posthog.sdk import span_attributes

EVERYTHING = Policy(derive=GROUPS)
MOST_CALLS = 14
"""Of Python and of C, that a span which no rule is about costs more; it is measured at less than a microsecond."""


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    """A provider without processors."""
    made = TracerProvider(shutdown_on_exit=False)
    yield made
    made.shutdown()


def calls(span: ReadableSpan, rules: Recogniser) -> int:
    """Return how many calls it takes to see that a span is no event, once it has been seen."""
    attributes, seen = span_attributes(span), 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal seen
        seen += event in {"call", "c_call"}

    assert span_signals(span, attributes, rules) == []
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        span_signals(span, attributes, rules)
    finally:
        sys.setprofile(before)
    return seen


@pytest.mark.parametrize("what", UNMATCHED)
def test_a_span_that_no_rule_is_about_costs_a_few_calls(provider: TracerProvider, what: str) -> None:
    """With every rule on that there is; no value of a call or a query is looked at."""
    span = ended(provider, what)
    assert calls(span, Recogniser(EVERYTHING)) - calls(span, Recogniser(Policy())) <= MOST_CALLS


@pytest.mark.parametrize("what", UNMATCHED)
def test_more_rules_cost_no_more(provider: TracerProvider, what: str) -> None:
    """However many there are that are about one span in a thousand."""
    span = ended(provider, what)
    more = replace(EVERYTHING, derive=(*GROUPS, *RARE))
    assert calls(span, Recogniser(more)) <= calls(span, Recogniser(EVERYTHING)) + 2


def test_a_query_that_is_fast_is_never_read(provider: TracerProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it took is asked before any value is."""
    span, rules = ended(provider, "fast query"), Recogniser(EVERYTHING)
    span_signals(span, span_attributes(span), rules)
    monkeypatch.setattr(residual.Part, "left", lambda *_: pytest.fail("a value was read"))
    assert span_signals(span, span_attributes(span), rules) == []


def record(**attributes: object) -> SpanRecord:
    """Return a request."""
    named = {key.replace("_", "."): value for key, value in attributes.items()}
    given = {"http.request.method": "GET", "http.response.status_code": 200, **named}
    return SpanRecord("r", given, 1, 1, 10**6, (), "", {}, kind="SERVER")


def test_values_without_end_are_told_right_in_bounded_memory() -> None:
    """Of the attribute that has most, each value is looked at by itself from then on; the others are remembered."""
    rules = Recogniser(EVERYTHING)
    for at in range(5000):
        names = [each.name for each in record_signals(record(http_route=f"/api/{at}" if at % 2 else f"/{at}"), rules)]
        assert names == (["api_request"] if at % 2 else ["page_viewed"])
    assert remembered(rules) <= 1024
    assert [each.name for each in record_signals(record(http_route="/search"), rules)] == [
        *("page_viewed", "search_performed")
    ]


def test_sets_of_keys_without_end_are_told_right_in_bounded_memory() -> None:
    """Those that no rule asks for make nothing else to remember."""
    rules = Recogniser(EVERYTHING)
    for at in range(3000):
        span = record(http_route="/a", **{f"app_k{at}": "x", "db_system" if at % 3 == 0 else "z": "y"})
        assert [each.name for each in record_signals(span, rules)] == ["page_viewed"]
    bucket = rules._spans._buckets["SERVER"]  # type: ignore[union-attr]
    assert len(bucket.residuals) <= 512
    assert len(bucket._by_keys) <= 4
    long = record(http_route="/a", **{"k" * 5000: "x"})
    assert [each.name for each in record_signals(long, rules)] == ["page_viewed"]
    assert tuple(long.attributes) not in bucket.residuals


def test_all_that_is_remembered_of_a_kind_is_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sets of keys and values are many."""
    monkeypatch.setattr(matcher, "_VALUES_KEPT", 50)
    rules = Recogniser(EVERYTHING)
    for at in range(500):
        key = f"db_{('system', 'system_name', 'operation', 'statement')[at % 4]}"
        span = record(http_route=f"/{at}", **{key: "x"})
        assert [each.name for each in record_signals(span, rules)] == ["page_viewed"]
        assert remembered(rules) <= 50


def test_a_truth_value_is_no_number() -> None:
    """Though it is one to a dictionary, whichever was seen first."""
    rule = DeriveRule("a", "a", DeriveConditions(attributes=FrozenMap({"app.n": ValueCondition(min=1)})))
    for values in ((1, True, 1.0, "1"), (True, 1, 1.0), (1.0, True, 1)):
        rules = Recogniser(Policy(derive=(rule,)))
        for value in values * 2:
            found = record_signals(record(app_n=value), rules)
            assert bool(found) is (type(value) in {int, float})


def test_numbers_are_told_from_truth_values_wherever_they_stand() -> None:
    """Of two attributes as well, one of which is a text at times."""
    conditions = {"app.n": ValueCondition(min=1), "app.m": ValueCondition(equals="1")}
    rule = DeriveRule("a", "a", DeriveConditions(attributes=FrozenMap(conditions)))
    rules = Recogniser(Policy(derive=(rule,)))
    values = [1, True, 1.0, "1"]
    for _ in range(2):
        for n, m in product(values, values):
            fits = type(n) in {int, float} and m is not True
            assert bool(record_signals(record(app_n=n, app_m=m), rules)) is fits, (n, m)


def test_a_failed_call_is_asked_for_its_kind_of_error(provider: TracerProvider) -> None:
    """A status that a rule is about is the door to all else."""
    span = provider.get_tracer("t").start_span("op", kind=SpanKind.CLIENT, attributes=UNMATCHED["call"][1])
    span.set_status(StatusCode.ERROR)
    span.end()
    assert isinstance(span, ReadableSpan)
    found = span_signals(span, span_attributes(span), Recogniser(EVERYTHING))
    assert [each.name for each in found] == ["external_call_failed"]


def remembered(rules: Recogniser) -> int:
    """Return how many sets of values are remembered of requests."""
    residuals = rules._spans._buckets["SERVER"]._by_keys.values()  # type: ignore[union-attr]
    return sum(len(part.memory.known) for each in residuals for part in each.values())
