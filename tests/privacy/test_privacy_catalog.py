"""The catalog: what is declared, what is not, and that with `enforce` nothing else leaves, whatever the event."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_posthog.clean import Cleaner
from otel_posthog.errors import DropEvent
from otel_posthog.health import Health
from otel_posthog.model import Event, EventKind, GroupUpdate, Receipt, Source, Subject
from otel_posthog.policy import (
    Catalog,
    CatalogMode,
    Destination,
    EventSpec,
    FrozenMap,
    GroupSpec,
    IdentityMode,
    Policy,
    PropertySpec,
    PropertyType,
)
from otel_posthog.privacy import Declared, sanitize_properties, sanitize_properties_with_receipt

TIME_NS = 1_767_323_045_123_456_789
LEVELS = PropertySpec(PropertyType.ENUM, values=("low", "high"))
NUMBER = PropertySpec(PropertyType.INT, min=0, max=10)
CATALOG = Catalog(
    mode=CatalogMode.ENFORCE,
    events=FrozenMap(
        {
            "opened": EventSpec(properties=FrozenMap({"level": LEVELS, "n": NUMBER})),
            "$groupidentify": EventSpec(),
            "$exception": EventSpec(),
        }
    ),
    properties=FrozenMap({"http.route": PropertySpec(max_chars=20)}),
    person=FrozenMap({"plan": LEVELS}),
    groups=FrozenMap(
        {"company": GroupSpec(key=PropertySpec(pattern="c[0-9]{1,4}"), properties=FrozenMap({"n": NUMBER}))}
    ),
)
WARNING = replace(CATALOG, mode=CatalogMode.WARN)


def event(name: str = "opened", **properties: Any) -> Event:
    """Return an event."""
    return Event(name, "0" * 32, TIME_NS, properties, {}, Subject(), None, None, Source.LOG)


def checked(spec: PropertySpec, value: object) -> list[str]:
    """Return the rules that `value` breaks under `spec`."""
    catalog = replace(CATALOG, events=FrozenMap({"e": EventSpec(properties=FrozenMap({"k": spec}))}))
    receipt = Receipt()
    kept = Declared(catalog).properties("e", {"k": value}, receipt)
    assert ("k" in kept) is (receipt.entries == [])
    return [rule for _, rule, _ in receipt.entries]


@pytest.mark.parametrize(
    ("spec", "good", "bad"),
    [
        (
            PropertySpec(max_chars=3),
            ["", "abc", b"abc"],
            [("abcd", "value"), (1, "type"), (None, "type"), (["a"], "type")],
        ),
        (
            PropertySpec(pattern="[A-Z]{2}-[0-9]{1,4}"),
            ["DE-7"],
            [("DE-", "value"), ("de-7", "value"), ("DE-7\n", "value")],
        ),
        (LEVELS, ["low"], [("Low", "value"), (1, "type")]),
        (NUMBER, [0, 10], [(-1, "value"), (11, "value"), (1.0, "type"), (True, "type"), ("1", "type")]),
        (PropertySpec(PropertyType.FLOAT, min=0.5), [0.5, 7], [(0.4, "value"), (float("nan"), "type"), (True, "type")]),
        (PropertySpec(PropertyType.BOOL), [True], [(1, "type"), ("true", "type")]),
        (
            PropertySpec(PropertyType.LIST, items=NUMBER, max_items=2),
            [[], [1, 2], (3,)],
            [([1, 2, 3], "value"), ([11], "value"), (["a"], "type"), (1, "type"), ([[1]], "type"), ({"a": 1}, "type")],
        ),
        (PropertySpec(PropertyType.LIST), [["a"]], [([{"a": 1}], "type")]),
    ],
)
def test_a_value_has_its_type_and_keeps_to_its_constraints(
    spec: PropertySpec, good: list[object], bad: list[tuple[object, str]]
) -> None:
    """Values outside go, counted by whether the type or a constraint is broken."""
    for value in good:
        assert checked(spec, value) == []
    for value, rule in bad:
        assert checked(spec, value) == [f"catalog_{rule}"]


def test_warn_counts_and_says_each_name_once_and_lets_it_pass(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is removed; the log gets a name once, and none that might be about somebody."""
    declared, receipt = Declared(WARNING, "vendor"), Receipt()
    given_ = event("closed", other=1, **{"ada@example.org": 2})
    with caplog.at_level(logging.WARNING, "otel_posthog"):
        for _ in range(3):
            assert declared.event(given_, receipt) == given_
    assert len([entry for entry in receipt.entries if entry[2] == "noted"]) == 9
    names = ["event closed", "property other of closed", "property [name] of closed"]
    assert [record.getMessage() for record in caplog.records] == [
        f"the catalog of destination vendor does not know {name} (catalog_undeclared): sent all the same"
        for name in names
    ]


def test_the_log_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """An app that makes names up does not fill the log or the memory."""
    declared = Declared(WARNING)
    for number in range(2000):
        declared.event(event("e" + "abcdefghij"[number % 10] * (number // 10 % 90 + 1), **{f"k{number}": 1}), Receipt())
    assert len(caplog.records) <= 1000


def test_off_looks_at_nothing() -> None:
    """A catalog that is off is no filter."""
    given_ = event("closed", other=1)
    assert Declared(replace(CATALOG, mode=CatalogMode.OFF)).event(given_, Receipt()) is given_


def test_an_event_that_is_not_declared_is_dropped_with_a_reason() -> None:
    """`catalog_event`, and `catalog_group` for a group of no declared type or key."""
    declared = Declared(CATALOG)
    with pytest.raises(DropEvent, match="catalog_event"):
        declared.event(event("closed"), Receipt())
    for group in (GroupUpdate("team", "c1"), GroupUpdate("company", "ada@example.org")):
        with pytest.raises(DropEvent, match="catalog_group"):
            declared.event(event("$groupidentify")._replace(group=group), Receipt())


def test_an_exception_keeps_what_its_own_mode_bounds() -> None:
    """Its list is no type of the catalog; everything else of it must be declared."""
    kept = Declared(CATALOG).properties(
        "$exception", {"$exception_list": [], "$exception_level": "error", "x": 1}, Receipt()
    )
    assert dict(kept) == {"$exception_list": [], "$exception_level": "error"}
    assert dict(Declared(CATALOG).properties("opened", {"$exception_list": []}, Receipt())) == {}


def test_the_public_helper_applies_the_catalog_of_an_event() -> None:
    """With the event's name, what is not declared goes; an event that is not declared has no properties."""
    policy = Policy(catalog=CATALOG)
    given_ = {"level": "low", "n": 11, "other": "x"}
    assert sanitize_properties(given_, policy) == given_
    assert sanitize_properties(given_, policy, event="opened") == {"level": "low"}
    assert sanitize_properties(given_, policy, event="closed") == {}
    out, receipt = sanitize_properties_with_receipt(given_, policy, event="opened")
    assert out == {"level": "low"}
    assert receipt.entries == [("n", "catalog_value", "removed"), ("other", "catalog_undeclared", "removed")]


_NAMES = st.sampled_from(
    ["level", "n", "plan", "http.route", "company", "opened", "other", "$groupidentify"]
) | st.text(max_size=6)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-20, 20)
    | st.floats()
    | st.sampled_from(["low", "high", "c12"])
    | st.text(max_size=6)
)
_VALUES = _LEAVES | st.lists(_LEAVES, max_size=2) | st.dictionaries(_NAMES, _LEAVES, max_size=2)
_MAPS = st.dictionaries(_NAMES, _VALUES, max_size=5)
_SUBJECTS = st.builds(
    Subject,
    user_id=st.none() | st.just("u-4711-x"),
    groups=st.dictionaries(_NAMES, st.sampled_from(["c1", "c99999", "x"]), max_size=3),
    person_set=_MAPS,
    person_set_once=_MAPS,
)
_EVENTS = st.builds(
    Event,
    name=st.sampled_from(["opened", "closed", "$groupidentify", "$exception"]),
    uuid=st.just("0" * 32),
    time_ns=st.just(TIME_NS),
    properties=_MAPS,
    telemetry=_MAPS,
    subject=_SUBJECTS,
    trace_id=st.none(),
    span_id=st.none(),
    source=st.just(Source.LOG),
    kind=st.sampled_from([EventKind.PRODUCT, EventKind.GROUP_IDENTIFY]),
    group=st.none() | st.builds(GroupUpdate, type=_NAMES, key=st.sampled_from(["c1", "x"]), properties=_MAPS),
)
_OURS = {"$ip", "$geoip_disable", "$groups", "$set", "$set_once", "$session_id", "session_id", "$window_id",
         "journey_id", "$exception_list",
         "$exception_level", "$group_type", "$group_key", "$group_set"}  # fmt: skip


def is_level(value: object) -> bool:
    """Return whether `value` is of the declared enum."""
    return value in {"low", "high"}


def is_number(value: object) -> bool:
    """Return whether `value` is of the declared range."""
    return type(value) is int and 0 <= value <= 10


@settings(max_examples=400, deadline=None, derandomize=True)
@given(_EVENTS, st.sampled_from([IdentityMode.INSTALLATION, IdentityMode.IDENTIFIED]))
def test_with_enforce_nothing_undeclared_leaves_whatever_the_event(given_: Event, mode: IdentityMode) -> None:
    """Events, properties, telemetry, person properties, groups: each is declared and within its constraints."""
    if given_.kind is EventKind.GROUP_IDENTIFY:
        group = given_.group or GroupUpdate("company", "c1")
        given_ = given_._replace(name=EventKind.GROUP_IDENTIFY.value, group=group)
    else:
        given_ = given_._replace(group=None)
    destination = Destination(api_key="phc_x", identity=mode)
    cleaner = Cleaner(Policy(catalog=CATALOG, destinations=(destination,)), installation_id="i", health=Health())
    try:
        body = json.loads(cleaner.clean(given_, destination).body)
    except DropEvent:
        return
    assert body["event"] in CATALOG.events
    properties = body["properties"]
    allowed = {"level": is_level, "n": is_number} if body["event"] == "opened" else {}
    for key in properties.keys() - _OURS:
        if key == "http.route":
            assert isinstance(properties[key], str)
            assert len(properties[key]) <= 20
        else:
            assert allowed[key](properties[key])
    for values in (properties.get("$set", {}), properties.get("$set_once", {})):
        assert all(key == "plan" and is_level(value) for key, value in values.items())
    assert all(key == "company" and value == "c1" for key, value in properties.get("$groups", {}).items())
    assert all(key == "n" and is_number(value) for key, value in properties.get("$group_set", {}).items())
    assert properties.get("$group_type", "company") == "company"
