"""`privacy.word_lists: [special_categories]`: what is under a word of health, belief, origin, politics goes whole."""

from __future__ import annotations

from typing import Any

import pytest

from otel_posthog.model import GONE, Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.policy.defaults import SENSITIVE_KEYS
from otel_posthog.policy.special_categories import SPECIAL_CATEGORIES
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.privacy import Filter

LISTED = PrivacyPolicy(word_lists=frozenset({"special_categories"}))
ON, OFF = Filter(LISTED), Filter(PrivacyPolicy())
# Each category, with the leniencies that a word of the built-in list has: a yes, a kind, a state, a source, a count.
GIVEN: dict[str, Any] = {
    "disability": True,
    "has_disability": False,
    "diagnosis_type": "cancer",
    "diagnoses": 3,
    "bloodType": "A",
    "blood_type": "A",
    "pregnancy_status": "none",
    "form.mental-health": ["x"],
    "religion": "r",
    "religion_source": "form",
    "isReligious": True,
    "union_member": True,
    "tradeUnion": {"name": "x"},
    "ethnicity": "e",
    "race": "r",
    "sexual_orientation": "s",
    "gender_identity": "g",
    "political_opinion": "p",
    "political_party": "p",
    "partyMembership": 1,
    "Konfession": "k",
    "religión": "r",
    "orientation sexuelle": "o",
}
HARMLESS: dict[str, Any] = {
    "union_type": "all",
    "screen_orientation": "landscape",
    "health_check": "ok",
    "treatment": "b",
    "trace_id": "4711",
    "votes": 3,
    "party_size": 4,
    "race_condition": None,
    "diagnosis": "",
    "plan": "pro",
}


@pytest.mark.parametrize(("key", "value"), GIVEN.items())
def test_what_is_under_a_word_of_a_special_category_goes_on_both_sides(key: str, value: Any) -> None:
    """Yes and no, numbers and kinds are what it is about; without the list it is as any other property."""
    receipt = Receipt()
    assert ON.properties({key: value, "plan": "pro"}, receipt) == {"plan": "pro"}
    assert [rule for _, rule, _ in receipt.entries] == ["sensitive_key"]
    left = ON.scrub_value(key, value)
    assert left is GONE or left in ("[redacted]", ["[redacted]"])
    assert (left is GONE) != isinstance(value, (str, list))
    assert ON.properties({"form": {key: value}}, Receipt()) == {"form": {}}
    assert OFF.properties({key: value}, Receipt()) == {key: value}


def test_what_only_reads_like_one_stays() -> None:
    """Other meanings of the words, and what is empty."""
    assert ON.properties(HARMLESS, Receipt()) == HARMLESS


@pytest.mark.parametrize(
    "text", ["disability=true", "x=1 religion=r2 y=2", '{"a": "b" "diagnosis": "no"', "?race=0&page=2"]
)
def test_in_texts_too(text: str) -> None:
    """Log lines, queries, JSON that does not parse; a yes or no counts there as well."""
    assert "[secret]" in ON.scrub_text(text)
    assert OFF.scrub_text(text) is text


def test_one_word_switches_them_on() -> None:
    """The list has a name, and adds to the words that there are."""
    policy = parse_policy("privacy: {word_lists: [special_categories]}\n", source="p").privacy
    assert policy.listed_words == SPECIAL_CATEGORIES
    assert policy.sensitive_keys == SENSITIVE_KEYS
    assert not PrivacyPolicy().listed_words
    with pytest.raises(
        Exception, match="word list `special_categores` does not exist; did you mean `special_categories`"
    ):
        parse_policy("privacy: {word_lists: [special_categores]}\n", source="p")
