"""Which items a rule is about: the recogniser's answer against a model that asks condition by condition."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_posthog.conventions import NAME_NOW, OLD_NAMES, read_by_either_name
from otel_posthog.derived import rules_of
from otel_posthog.intake.otlp.records import LogRecord, SpanEvent, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.policy import (
    DeriveConditions,
    DeriveKind,
    DeriveRule,
    DeriveSignal,
    DeriveStatus,
    FrozenMap,
    Policy,
    ValueCondition,
)
from otel_posthog.recogniser import Recogniser
from otel_posthog.rules import is_of_form

KEYS = ("http.route", "http.request.method", "http.response.status_code", "db.system.name", "app.plan")
NAMES = ("/a", "/a/b", "GET", "POST", "200", "postgresql", "a*b", "", "é")
TEXTS = st.sampled_from(NAMES) | st.text("ab/*", max_size=4)
VALUES: st.SearchStrategy[Any] = (
    TEXTS | st.integers(-2, 600) | st.booleans() | st.floats(allow_nan=True) | st.just(("a", "b")) | st.none()
)
FORMS = st.sampled_from(["*", "/a*", "*b", "/a/b", "a*b", "*/*", "**"]) | TEXTS.filter(bool)
NUMBERS = st.none() | st.integers(-2, 600).map(float)


def present(drawn: dict[str, Any]) -> bool:
    """Return whether anything is said."""
    return any(value not in (None, ()) for value in drawn.values())


def made_of(drawn: dict[str, Any]) -> ValueCondition:
    """Return the condition that says this."""
    return ValueCondition(**drawn)


CONDITIONS = (
    st.fixed_dictionaries(
        {},
        optional={
            "equals": TEXTS.filter(bool) | st.sampled_from(["true", "200", "-1"]),
            "one_of": st.lists(TEXTS.filter(bool), min_size=1, max_size=3).map(tuple),
            "prefix": TEXTS.filter(bool),
            "glob": st.lists(FORMS, min_size=1, max_size=2).map(tuple),
            "not_glob": st.lists(FORMS, min_size=1, max_size=2).map(tuple),
            "min": NUMBERS,
            "max": NUMBERS,
            "present": st.none() | st.booleans(),
        },
    )
    .filter(present)
    .map(made_of)
)
MAPS = st.dictionaries(st.sampled_from(KEYS), CONDITIONS, max_size=2).map(FrozenMap)
SPAN_CONDITIONS = st.builds(
    DeriveConditions,
    kind=st.lists(st.sampled_from(DeriveKind), max_size=2).map(tuple),
    scope=st.lists(FORMS, max_size=1).map(tuple),
    span_name=st.lists(FORMS, max_size=1).map(tuple),
    status=st.lists(st.sampled_from(DeriveStatus), max_size=2).map(tuple),
    min_duration_ms=st.none() | st.sampled_from([0.0, 1.0, 5.0]),
    max_duration_ms=st.none() | st.sampled_from([1.0, 5.0]),
    attributes=MAPS,
    resource=MAPS,
    child=st.just(FrozenMap()),
    without_child=st.just(FrozenMap()),
)
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)
SPANS = st.builds(
    SpanRecord,
    name=TEXTS,
    attributes=ATTRIBUTES,
    trace_id=st.just(1),
    span_id=st.just(1),
    end_ns=st.sampled_from([0, 1, 999_999, 1_000_000, 5_000_000, 7_000_000]),
    events=st.just(()),
    status_message=st.just(""),
    resource=ATTRIBUTES,
    kind=st.sampled_from(["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
    status_code=st.sampled_from(["UNSET", "OK", "ERROR"]),
    scope_name=TEXTS,
)


def of_form(text: object, form: str) -> bool:
    """Return whether a value is a text of a form, by a regular expression."""
    pattern = ".*".join(map(re.escape, form.split("*")))
    return isinstance(text, str) and re.fullmatch(pattern, text, re.DOTALL) is not None


def as_text(value: Any) -> str | None:
    """Return what a policy would write for a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value) if isinstance(value, (str, int, float)) else None


def value_fits(wanted: ValueCondition, value: Any) -> bool:
    """Return whether a value is what is wanted."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return all(
        (
            wanted.equals is None or as_text(value) == wanted.equals,
            not wanted.one_of or as_text(value) in wanted.one_of,
            wanted.prefix is None or (isinstance(value, str) and value.startswith(wanted.prefix)),
            not wanted.glob or any(of_form(value, each) for each in wanted.glob),
            not any(of_form(value, each) for each in wanted.not_glob),
            wanted.min is None or (is_number and value >= wanted.min),
            wanted.max is None or (is_number and value <= wanted.max),
            wanted.present is None or (value is not None) is wanted.present,
        )
    )


def span_fits(when: DeriveConditions, span: SpanRecord) -> bool:
    """Return whether a span is what a rule is about."""
    kinds = [each.value for each in when.kind] or ["server", "client", "consumer"]
    took_ms = (span.end_ns - span.start_ns) / 1e6
    return all(
        (
            span.kind.lower() in kinds,
            not when.status or span.status_code.lower() in [each.value for each in when.status],
            not when.scope or any(of_form(span.scope_name, each) for each in when.scope),
            not when.span_name or any(of_form(span.name, each) for each in when.span_name),
            when.min_duration_ms is None or took_ms >= when.min_duration_ms,
            when.max_duration_ms is None or took_ms <= when.max_duration_ms,
            all(
                value_fits(wanted, read_by_either_name(span.attributes, key)) for key, wanted in when.attributes.items()
            ),
            all(value_fits(wanted, read_by_either_name(span.resource, key)) for key, wanted in when.resource.items()),
        )
    )


def recogniser(*conditions: DeriveConditions) -> Recogniser:
    """Return a recogniser with a rule for each of the conditions."""
    return Recogniser(Policy(derive=tuple(DeriveRule(f"r{at}", f"e{at}", each) for at, each in enumerate(conditions))))


@settings(deadline=None, max_examples=400)
@given(st.lists(SPAN_CONDITIONS, min_size=1, max_size=4), st.lists(SPANS, min_size=1, max_size=4))
def test_a_span_is_what_each_condition_says(conditions: list[DeriveConditions], spans: list[SpanRecord]) -> None:
    """All rules that fit, in their order, whatever was asked before; and never one that a look at keys rules out."""
    rules = recogniser(*conditions)
    for span in spans * 2:
        fitting = [f"e{at}" for at, when in enumerate(conditions) if span_fits(when, span)]
        assert [each.name for each in record_signals(span, rules)] == fitting
        assert rules.may_be_span(span.name, list(span.attributes)) or not fitting


@settings(deadline=None)
@given(st.lists(FORMS, min_size=1, max_size=2), MAPS, TEXTS, ATTRIBUTES)
def test_so_is_a_span_event_and_a_log_record(
    names: list[str], wanted: Any, name: str, attributes: dict[str, Any]
) -> None:
    """By its name, scope and attributes, in the same way."""
    for signal in (DeriveSignal.SPAN_EVENT, DeriveSignal.LOG):
        rules = recogniser(DeriveConditions(signal=signal, event_name=tuple(names), attributes=wanted))
        fits = any(of_form(name, each) for each in names) and all(
            value_fits(each, read_by_either_name(attributes, key)) for key, each in wanted.items()
        )
        event = SpanEvent(name, attributes, 5)
        span = SpanRecord("s", {}, 1, 1, 9, (event,), "", {})
        record = LogRecord(name, attributes, "text", 5, 5, 1, 1, {})
        item = span if signal is DeriveSignal.SPAN_EVENT else record
        assert [each.name for each in record_signals(item, rules)] == ["e0"] * fits
        may_be = (
            rules.may_be_span_event(name, list(attributes))
            if signal is DeriveSignal.SPAN_EVENT
            else rules.may_be_log(name, attributes, list)
        )
        assert may_be or not fits


@given(TEXTS, FORMS)
def test_a_form_is_what_a_regular_expression_says(text: str, form: str) -> None:
    """Only that no text takes long."""
    assert is_of_form(text, form) == of_form(text, form)


def test_a_form_of_many_parts_takes_no_time() -> None:
    """A value that was made for it would take a regular expression for ever."""
    assert not is_of_form("a" * 100_000, "*a" * 30 + "*b")


VALUES_OF: dict[str, tuple[str, dict[str, str | None]]] = {
    "http.target": ("/x/1?q=2#f", {"url.path": "/x/1", "url.query": "q=2"}),
    "http.url": (
        "https://u:p@a.example:8/x/1?q=2#f",
        {"url.path": "/x/1", "server.address": "a.example"},
    ),
    "db.operation": ("insert", {"db.operation.name": "INSERT"}),
    "db.statement": ("insert into T values (1)", {"db.operation.name": "INSERT", "db.collection.name": "T"}),
    "db.query.text": ("insert into T values (1)", {"db.operation.name": "INSERT", "db.collection.name": "T"}),
    "db.system": ("mssql", {"db.system.name": "microsoft.sql_server"}),
    "messaging.operation": ("publish", {"messaging.operation.type": "send"}),
    "net.transport": ("ip_tcp", {"network.transport": "tcp"}),
    "http.route": ("orders/<int:pk>/", {"http.route": "/orders/<int:pk>/"}),
}


@pytest.mark.parametrize("now", OLD_NAMES)
def test_an_attribute_is_found_under_each_of_its_names(now: str) -> None:
    """The present name wins; what an old name's value means by now is what a rule sees."""
    for old in OLD_NAMES[now]:
        value, meant = VALUES_OF.get(old.name, ("v", {}))
        assert read_by_either_name({old.name: value}, now) == meant.get(now, value)
        assert read_by_either_name({old.name: value, now: "/n"}, now) == "/n"
        assert old.name in NAME_NOW or old.name in OLD_NAMES
    assert read_by_either_name({}, now) is None


def test_values_of_now_have_one_form() -> None:
    """Django's routes have no slash in front, and some write an old word under the new name."""
    assert read_by_either_name({"http.route": "orders/"}, "http.route") == "/orders/"
    assert read_by_either_name({"http.route": "/orders/"}, "http.route") == "/orders/"
    assert read_by_either_name({"db.system.name": "mssql"}, "db.system.name") == "microsoft.sql_server"
    assert read_by_either_name({"http.target": "/x"}, "url.query") is None


@pytest.mark.parametrize(
    "url", ["http://a.example", "no url", "http://[::1", "", 5, "//x/", "http://a.example/x?y=/#/"]
)
def test_no_url_is_too_odd(url: object) -> None:
    """What is none has no path and no host."""
    assert read_by_either_name({"http.url": url}, "url.path") in {None, "/", "/x"}
    assert read_by_either_name({"http.url": url}, "server.address") in {None, "a.example", "x"}


def test_without_a_rule_nothing_is_derived() -> None:
    """The built-in policy has none."""
    assert list(rules_of(Policy())) == []


def test_rules_are_in_the_order_of_the_policy() -> None:
    """Whatever they are found by: a value, a duration, or nothing."""
    span = SpanRecord("s", {"app.plan": "pro", "http.route": "/a"}, 1, 1, 2 * 10**6, (), "", {}, kind="SERVER")
    found_by = (
        DeriveConditions(attributes=FrozenMap({"http.route": ValueCondition(not_glob=("/b",))})),
        DeriveConditions(min_duration_ms=2, attributes=FrozenMap({"app.plan": ValueCondition(equals="pro")})),
        DeriveConditions(attributes=FrozenMap({"http.route": ValueCondition(present=True)})),
        DeriveConditions(min_duration_ms=1, attributes=FrozenMap({"app.plan": ValueCondition(equals="pro")})),
        DeriveConditions(span_name=("s",)),
    )
    for conditions in (found_by, found_by[::-1]):
        assert [each.name for each in record_signals(span, recogniser(*conditions))] == ["e0", "e1", "e2", "e3", "e4"]


def test_what_need_not_be_there_rules_nothing_out_by_its_key() -> None:
    """Of an attribute that is not there, and of a part of one that is."""
    for key, wanted, attributes in (
        ("app.plan", ValueCondition(present=False), {}),
        ("app.plan", ValueCondition(not_glob=("a",)), {}),
        ("app.plan", ValueCondition(not_glob=("a",)), {"app.plan": "b"}),
        ("url.query", ValueCondition(present=False), {"http.target": "/x"}),
    ):
        rules = recogniser(DeriveConditions(attributes=FrozenMap({key: wanted})))
        span = SpanRecord("s", attributes, 1, 1, 1, (), "", {}, kind="SERVER")
        assert [each.name for each in record_signals(span, rules)] == ["e0"]
        assert rules.may_be_span("s", list(attributes))
