"""The operator's own words: who writes one means it, whatever stands under it and however the key is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otel_posthog.apps.cli import main
from otel_posthog.model import GONE, REDACTED, Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.privacy import Filter

TEXT = 'privacy: {also_sensitive_keys: [disability, diagnosis, "blood type", religion, union, ward]}\n'
OWN = Filter(parse_policy(TEXT, source="p.yaml").privacy)
BUILT_IN = Filter(PrivacyPolicy())

KEYS = [
    "disability", "has_disability", "isDisability", "disability_type", "diagnosis_status", "disability_count",
    "diagnosisCount", "blood_type", "bloodType", "blood-type", "blood.type", "BLOOD_TYPE", "religion_source",
    "union_member", "union.member.id", "user.religion", "requires_diagnosis", "religions", "wards", "ward_name",
    "disability_version", "diagnosis_id", "religion_url", "diagnosis_enabled",
]  # fmt: skip
VALUES = [True, False, 0, 1, 2.5, 10**9, "A", "yes", "none known", "cancer", "basic", "arn:aws:x", "admin", "1", ["a"],
          [1, 2], [True], {"a": 1}, {"a": {"b": ["x"]}}, "see ada@example.org"]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_word_of_the_policy_has_no_leniency(key: str) -> None:
    """A yes, a count, a kind, a list, words around an address: under it, or deeper, nothing is left on either side."""
    for value in VALUES:
        receipt = Receipt()
        assert OWN.properties({key: value, "form": {key: value}, "n": 1}, receipt) == {"form": {}, "n": 1}, value
        assert {rule for _, rule, _ in receipt.entries} == {"sensitive_key"}
        left = OWN.scrub_value(key, value)
        assert left in (REDACTED, [REDACTED]) if isinstance(value, str) or value == ["a"] else left is GONE
        assert OWN.scrub_value("form", {key: value}) == ({} if left is GONE else {key: left})


@pytest.mark.parametrize("key", ["disability", "has_disability", "diagnosis_type", "blood_type", "religion_source"])
@pytest.mark.parametrize("joined", ["=", ": ", '": "', "='"])
def test_a_word_of_the_policy_in_a_text(key: str, joined: str) -> None:
    """In query strings, log lines and JSON that does not parse as well."""
    assert "cancer" not in OWN.scrub_text(f"got {key}{joined}cancer and more")


@pytest.mark.parametrize("value", ["", None, [], {}, "[redacted]"])
def test_what_is_nothing_stays(value: object) -> None:
    """An empty value tells nothing."""
    assert OWN.properties({"disability": value}, Receipt()) == {"disability": value}


def test_other_keys_are_read_as_before() -> None:
    """Words of the policy change nothing of the built-in ones."""
    properties = {"has_password": True, "token_count": 7, "auth_method": "Client Credentials", "rewarded": "x", "n": 1}
    assert OWN.properties(properties, Receipt()) == BUILT_IN.properties(properties, Receipt()) == properties


@pytest.mark.parametrize("value", ["Ada Lovelace", "ada lovelace", "Ada M. Lovelace", "Ada/Lovelace King"])
@pytest.mark.parametrize("key", ["customer_email_status", "email_provider", "user_email.type"])
def test_a_name_is_no_state(key: str, value: str) -> None:
    """Without a policy: under a key that tells of somebody, several words are a state only if they read like one."""
    assert BUILT_IN.properties({key: value}, Receipt()) == {}
    for state in ("verified", "not verified", "invalid format", "work", "gmail"):
        assert BUILT_IN.properties({key: state}, Receipt()) == {key: state}


def test_explain_shows_what_becomes_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The receipt that an operator looks at names the rule."""
    policy, file = tmp_path / "p.yaml", tmp_path / "t.jsonl"
    policy.write_text(TEXT, encoding="utf-8")
    attributes = [{"key": "analytics.event", "value": {"stringValue": "e"}},
                  {"key": "analytics.property.disability", "value": {"boolValue": True}}]  # fmt: skip
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "s", "startTimeUnixNano": "1",
            "endTimeUnixNano": "1767323045123456789", "attributes": attributes}  # fmt: skip
    file.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}), encoding="utf-8")
    assert main(["explain", "--json", "--policy", str(policy), str(file)]) == 0
    out = capsys.readouterr().out
    assert '"sensitive_key"' in out
    assert '"disability": true' not in out.partition('"destinations"')[2].partition('"changes"')[0]


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("category", ["categories", "userCategories", "CATEGORIES", "category"]),
        ("größe", ["GRÖSSE", "Größe", "größen_größe", "MEINE_GRÖSSE", "Grösse"]),
        ("hasło", ["HASŁO", "Hasło"]),
        ("öl", ["ÖL", "Öl", "meinÖl"]),
    ],
)
def test_a_word_in_the_plural_and_in_capitals(word: str, keys: list[str]) -> None:
    """Plurals of words in y, and letters whose capitals are others, as a key and in a text."""
    own = Filter(parse_policy(f"privacy: {{also_sensitive_keys: [{word}]}}", source="p.yaml").privacy)
    for key in keys:
        assert own.properties({key: "blind"}, Receipt()) == {}, key
        assert "blind" not in own.scrub_text(f"got {key}: blind, {key}=blind"), key
