"""Receipts: which rule did what to which key, in a form that may be shown, logged and counted."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_posthog.health import MAX_REASONS, Health
from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())
PLANTED = ("jo.doe@example.org", "4111 1111 1111 1111", "93.184.216.34", "+49 30 901820", "078-05-1120", "Jo von Doe")
places = st.sampled_from(
    [
        lambda value: {"note": value},
        lambda value: {value: 1},
        lambda value: {"deep": {value: {"email": value}}},
        lambda value: {"list": [{"password": value}, value, [value]]},
        lambda value: {"json": json.dumps({value: {"token": value}})},
        lambda value: {"x" * 400 + value: {"mail": value}},
    ]
)


@given(st.sampled_from(PLANTED), places, places)
def test_no_value_is_in_a_receipt_however_it_is_written(value: str, one: object, other: object) -> None:
    """Neither its text, nor its JSON, nor what is counted of it holds what was planted, in values or in keys."""
    receipt, health = Receipt(is_detailed=True), Health()
    FILTER.properties({**one(value), "b": other(value)}, receipt)  # type: ignore[operator]
    FILTER.telemetry({**one(value), "url.full": value}, receipt)  # type: ignore[operator]
    FILTER.name(value, receipt)
    health.count_actions(receipt.entries)
    told = (repr(receipt), str(receipt), json.dumps(receipt.entries), repr(health.actions()))
    assert not [text for text in told if value in text or json.dumps(value)[1:-1] in text]


def test_a_detailed_receipt_also_names_what_was_never_asked_to_leave() -> None:
    """Attributes that are not on the allow-list are noted for a reader, and cost nothing where there is none."""
    attributes = {"http.route": "/a", "url.full": "x", "to jo@example.org": 1}
    quiet, detailed = Receipt(), Receipt(is_detailed=True)
    FILTER.telemetry(attributes, quiet)
    FILTER.telemetry(attributes, detailed)
    assert quiet.entries == []
    assert detailed.entries == [("url.full", "allow_list", "removed"), ("[key]", "allow_list", "removed")]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("items.0.price_eur", "items.0.price_eur"),
        ("$set.[email]_2", "$set.[email]_2"),
        ("by_name.Jo von Doe.total", "by_name.[key].total"),
        ("customer_4711004711.plan", "[key].plan"),
        ("a" * 301, "[key]"),
        ("a\nb", "[key]"),
    ],
)
def test_parts_of_a_key_that_are_no_names_are_not_shown(key: str, shown: str) -> None:
    """A sentence, a long number or a line break under which values stand may be about somebody."""
    receipt = Receipt()
    receipt.add(key, "email", "replaced")
    assert receipt.entries == [(shown, "email", "replaced")]


def test_actions_are_counted_by_rule_without_keys_and_bounded() -> None:
    """The count has a fixed number of attributes, however many keys and rules there are."""
    health = Health()
    health.count_actions([("a", "email", "replaced"), ("b", "email", "replaced"), ("c", "allow_list", "removed")])
    assert health.actions() == {("email", "replaced"): 2, ("allow_list", "removed"): 1}
    health.count_actions([("a", f"rule{number}", "removed") for number in range(MAX_REASONS * 2)])
    assert len(health.actions()) == MAX_REASONS + 1
    assert health.actions()["other", "removed"] == MAX_REASONS + 2
    health.reset_after_fork()
    assert health.actions() == {}


def test_what_privacy_did_is_no_loss(caplog: pytest.LogCaptureFixture) -> None:
    """The one line a minute tells of dropped events and faults; a replaced address is the package at work."""
    clock = [0.0]
    health = Health(lambda: clock[0])
    health.count_actions([("a", "email", "replaced")])
    clock[0] = 61.0
    with caplog.at_level(logging.DEBUG):
        health.report_if_due()
    assert caplog.messages == []
