"""Which keys a rule picks, and which rule wins."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_posthog.model import Receipt
from otel_posthog.policy import FrozenMap, HitMethod, Method, PrivacyPolicy, Rule
from otel_posthog.privacy import Filter

MAIL = "ada.lovelace@example.org"


def cleaned(properties: dict[str, object], *rules: Rule) -> dict[str, object]:
    """Return what `rules` leave."""
    return Filter(PrivacyPolicy(rules=rules)).properties(properties, Receipt())


@pytest.mark.parametrize(
    ("glob", "key", "picked"),
    [("plan", "plan", True), ("plan", "plans", False), ("billing.*", "billing.iban", True),
     ("billing.*", "billing", False),
     ("*", "anything", True), ("*_id", "user_id", True), ("a*b*c", "aXXbYYc", True), ("a*b*c", "aXXc", False),
     ("a*a", "a", False), ("", "", True), ("*a*", "bab", True), ("a**b", "ab", True)],
)  # fmt: skip
def test_a_glob_picks_whole_keys(glob: str, key: str, picked: bool) -> None:
    """`*` stands for any characters, also none; everything else for itself."""
    assert (key not in cleaned({key: "x"}, Rule(keys=(glob,)))) is picked


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_glob_means_what_an_expression_would(glob: str, key: str) -> None:
    """Looking for the fixed parts one after the other decides as a regular expression of the same meaning does."""
    expected = re.fullmatch(".*".join(map(re.escape, glob.split("*"))), key) is not None
    assert (key not in cleaned({key: "x"}, Rule(keys=(glob,)))) is expected


def test_a_glob_that_would_make_an_expression_slow_is_quick() -> None:
    """The number of parts times the key is the most that it can cost: this returns at once."""
    assert cleaned({"a" * 200: "x"}, Rule(keys=("*a" * 90 + "b",))) == {"a" * 200: "x"}


def test_words_are_whole_tokens() -> None:
    """A word picks a key in which it stands as a token, however the key is spelled."""
    rule = Rule(words=("case number", "salary"))
    out = cleaned({"caseNumber": 1, "case_number_x": 1, "salary": 1, "salaried": 1, "case": 1}, rule)
    assert out == {"salaried": 1, "case": 1}


def test_the_first_rule_that_picks_a_key_decides() -> None:
    """Order is the policy's, and a rule comes before the sensitive words."""
    first, second = Rule(keys=("email*",), method=Method.MASK), Rule(keys=("*",), method=Method.REPLACE)
    assert cleaned({"email_to": "x", "b": "x"}, first, second) == {"email_to": "****", "b": "[redacted]"}


def test_keep_lets_a_sensitive_key_through_but_not_what_a_detector_finds() -> None:
    """An exception for a key is none for the values under it."""
    rule = Rule(keys=("address",), method=Method.KEEP)
    assert cleaned({"address": "block 7"}) == {}
    assert cleaned({"address": "block 7"}, rule) == {"address": "block 7"}
    assert cleaned({"address": MAIL}, rule) == {"address": "[email]"}


def test_a_rule_with_a_detector_changes_that_detector_under_its_keys_only() -> None:
    """The hit under the key gets the rule's method; other hits and other keys go on as before."""
    rules = (
        Rule(keys=("support.*",), detector="email", method=Method.MASK),
        Rule(keys=("support.*",), detector="phone", method=Method.KEEP),
    )
    text = f"{MAIL}, +49 30 901820, 4111 1111 1111 1111"
    out = cleaned({"support.note": text, "note": text}, *rules)
    assert out == {"support.note": "****, +49 30 901820, [card]", "note": "[email], [phone], [card]"}


def test_the_first_rule_for_a_detector_decides_under_its_keys() -> None:
    """A later rule for the same detector is for other keys, or for none."""
    first = Rule(keys=("a",), detector="email", method=Method.MASK)
    rest = Rule(detector="email", method=Method.DROP)
    assert cleaned({"a": MAIL, "b": MAIL}, first, rest) == {"a": "****"}


def test_a_rule_can_switch_a_detector_on_where_it_is_off() -> None:
    """Off for all, on for some keys."""
    policy = PrivacyPolicy(
        detectors=FrozenMap({"phone": HitMethod.OFF}),
        rules=(Rule(keys=("call",), detector="phone", method=Method.MASK),),
    )
    out = Filter(policy).properties({"call": "+49 30 901820", "x": "+49 30 901820"}, Receipt())
    assert out == {"call": "****", "x": "+49 30 901820"}


def test_a_rule_holds_for_all_that_is_under_its_key() -> None:
    """In lists and maps too, until a key further in has a rule, or is sensitive."""
    rules = (Rule(keys=("inner",), method=Method.REPLACE), Rule(keys=("outer",), method=Method.MASK))
    given_: dict[str, object] = {"outer": {"a": "x", "inner": "x", "password": "x", "deep": [{"b": 1, "c": None}]}}
    assert cleaned(given_, *rules) == {
        "outer": {"a": "****", "inner": "[redacted]", "deep": [{"b": "****", "c": None}]},
    }
    assert cleaned({"outer": {"password": "x"}}, Rule(keys=("outer",), method=Method.KEEP)) == {"outer": {}}


def test_the_operational_side_follows_the_same_rules() -> None:
    """What cannot be left out there is `[redacted]`."""
    rules = (
        Rule(keys=("gone",)),
        Rule(keys=("plan",), method=Method.MASK),
        Rule(keys=("n",), method=Method.TRUNCATE, max_chars=3),
    )
    filter_ = Filter(PrivacyPolicy(rules=rules))
    assert filter_.scrub_value("gone", "x") == "[redacted]"
    assert filter_.scrub_value("plan", b"x") == "****"
    assert filter_.scrub_value("n", "abcdef") == "abc"
    same = ("a", "b")
    assert filter_.scrub_value("other", same) is same


def test_a_receipt_names_the_rule() -> None:
    """A rule is counted and shown under its own name."""
    receipt = Receipt()
    rules = (Rule("plan_rule", ("plan",)), Rule("ref_rule", ("ref",), method=Method.MASK))
    Filter(PrivacyPolicy(rules=rules)).properties({"plan": "x", "ref": "y"}, receipt)
    assert receipt.entries == [("plan", "plan_rule", "removed"), ("ref", "ref_rule", "replaced")]
