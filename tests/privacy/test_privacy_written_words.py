"""Words and keys of a policy, written as the app writes its keys."""

from __future__ import annotations

import pytest

from otel_posthog.errors import PolicyError
from otel_posthog.model import REDACTED, Receipt
from otel_posthog.policy import HitMethod, Method, PrivacyPolicy, Rule
from otel_posthog.policy.defaults import SENSITIVE_KEYS
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.privacy import Filter

SPELLINGS = ["case number", "case_number", "caseNumber", "CaseNumber", "case-number", "case.number", "CASE_NUMBER",
             "case  number", "casenumber", "Case Number", "case/number", "_case_number_"]  # fmt: skip


@pytest.mark.parametrize("written", SPELLINGS)
def test_a_word_is_split_as_keys_are(written: str) -> None:
    """However the policy writes it, it picks the key however the app writes that; in a rule's words as well."""
    # One word does not tell where it might be two.
    keys = SPELLINGS if written != "casenumber" else [written]
    for policy in (
        PrivacyPolicy(sensitive_keys=SENSITIVE_KEYS | {written}),
        PrivacyPolicy(rules=(Rule(words=(written,)),)),
    ):
        own = Filter(policy)
        for key in (*keys, f"user.{written}", f"old_{written}_2"):
            assert own.properties({key: "C-17", "a": {key: "C-17"}, "n": 1}, Receipt()) == {"a": {}, "n": 1}, key
            assert own.scrub_value(key, "C-17") == REDACTED
        assert own.properties({"case": "C-17", "showcase_numbering": "x"}, Receipt()) != {}


NESTED = {"form": {"iq": 130, "name": "x"}, "n": 1}


@pytest.mark.parametrize("written", ["form.iq", "Form.IQ", "form.*", "*.iq", "f*.i*", "FORM.*"])
@pytest.mark.parametrize(
    "value",
    [{"form": {"iq": 130}}, {"form": [{"iq": 130}]}, {"form": {"IQ": 130}}, {"form.iq": 130}, {"Form.Iq": 130},
     {"form": '{"iq": 130}'}],
)  # fmt: skip
def test_a_dotted_key_picks_what_is_nested(written: str, value: dict[str, object]) -> None:
    """Maps, lists of maps, JSON in a text, one key with a dot in it; capitals do not matter on either side."""
    own = Filter(PrivacyPolicy(rules=(Rule(keys=(written,)),)))
    assert "130" not in str(own.properties({**value, "n": 1}, Receipt()))
    assert "130" not in str([own.scrub_value(key, each) for key, each in value.items()])


def test_a_dotted_key_picks_nothing_else() -> None:
    """Neither the same key elsewhere nor another one in the same place."""
    own = Filter(PrivacyPolicy(rules=(Rule(keys=("form.iq",)), Rule(keys=("form.name",), method=Method.MASK))))
    assert own.properties({**NESTED, "iq": 1, "other": {"iq": 2}, "forms": {"iq": 3}}, Receipt()) == {
        "form": {"name": "****"}, "n": 1, "iq": 1, "other": {"iq": 2}, "forms": {"iq": 3},
    }  # fmt: skip


def test_a_dotted_key_of_a_detector_counts_inside() -> None:
    """What a detector does under a nested key is the rule's to say as well."""
    own = Filter(PrivacyPolicy(rules=(Rule(keys=("form.contact",), detector="email", method=Method.MASK),)))
    given = {"form": {"contact": "to a@b.de", "note": "to a@b.de"}}
    assert own.properties(given, Receipt()) == {"form": {"contact": "to ****", "note": "to [email]"}}
    assert HitMethod.MASK.value == Method.MASK.value


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("privacy:\n  also_sensitive_keys: ['--']\n", 2, "`--` can never match"),
        ("privacy:\n  also_sensitive_keys: ['case*']\n", 2, "`case*` can never match"),
        (f"privacy:\n  also_sensitive_keys: [{'x' * 201}]\n", 2, "can never match"),
        ("privacy:\n  also_id_keys: ['*']\n", 2, "`*` can never match"),
        ("privacy:\n  rules:\n    - words: ['..']\n", 3, "`..` can never match"),
        (f"privacy:\n  rules:\n    - keys: [{'x' * 201}]\n", 3, "can never match"),
        ("privacy:\n  rules:\n    - keys: [' ']\n", 3, "can never match"),
        ("privacy:\n  also_allow: ['http.*']\n", 2, "`http.*` can never match"),
        ("privacy:\n  allow: [exception.message]\n", 2, "`exception.message` is never sent"),
        ("privacy: {}\ndestinations:\n  - {privacy: {also_allow: ['*']}}\n", 3, "`*` can never match"),
    ],
)
def test_what_can_never_match_is_named(text: str, line: int, shown: str) -> None:
    """Each word, key and pattern that no key can be is refused by name, with its line."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, source="p.yaml")
    found = [caught.value, *caught.value.others]
    assert any(shown in str(each) and str(each).startswith(f"p.yaml:{line}: ") for each in found), found
