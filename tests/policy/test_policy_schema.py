"""The published schema, the reference and the examples: all of them are what the types say."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from otel_posthog.policy import Policy
from otel_posthog.policy.fields import NOT_IN_FILE, description_of
from otel_posthog.policy.reference import BEGIN, END, reference
from otel_posthog.policy.schema import SCHEMA_FILE, policy_schema
from otel_posthog.policy.yaml_file import load_policy, parse_policy

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "policy.yaml"
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
VALIDATOR = Draft202012Validator(policy_schema())


def documented() -> list[tuple[str, str]]:
    """Return (where, YAML) of every example of a policy in the documentation."""
    pages = [ROOT / "docs" / "configuration.md", ROOT / "docs" / "policy.md"]
    return [(page.name, found) for page in pages for found in BLOCK.findall(page.read_text(encoding="utf-8"))]


def test_the_published_schema_is_what_the_types_say() -> None:
    """`make policy` has been run since a type changed."""
    Draft202012Validator.check_schema(policy_schema())
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == policy_schema(), "run `make policy`"


def test_the_reference_is_what_the_types_say() -> None:
    """Every key, its type and its default stand in the documentation as they are in the code."""
    text = (ROOT / "docs" / "policy-reference.md").read_text(encoding="utf-8")
    made = text.partition(BEGIN)[2].partition(END)[0]
    assert made.strip() == reference().strip(), "run `make policy`"


def test_every_key_is_described() -> None:
    """No key of the file, in any section, is without a description in the schema."""
    schema = policy_schema()
    sections = [schema, *schema["$defs"].values()]
    bare = [key for section in sections for key, made in section["properties"].items() if not made.get("description")]
    assert bare == []
    assert {each.name for each in fields(Policy) if description_of(each)} >= {
        each.name for each in fields(Policy)
    } - NOT_IN_FILE


def test_the_example_is_a_policy() -> None:
    """The commented example loads, says what its comments say, and validates."""
    policy = load_policy(EXAMPLE)
    assert [each.name for each in policy.destinations] == ["operator", "vendor"]
    assert policy.privacy_of(policy.destinations[1]).rules == policy.privacy.rules
    VALIDATOR.validate(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("where", "text"), documented())
def test_every_documented_example_is_a_policy(where: str, text: str, tmp_path: Path) -> None:
    """What people copy works, and no editor marks it as wrong."""
    (tmp_path / "catalog.yaml").write_text("events: {a: {}}\n", encoding="utf-8")
    parse_policy(text, source=where, directory=tmp_path)
    VALIDATOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    ["privcy: {}", "identity: everyone", "privacy: {max_depth: 0}", "privacy: {detectors: [emial]}", "derive: [a]",
     "privacy: {detectors: {email: shred}}", "privacy: {rules: [{keys: [a], method: truncat}]}", "catalog: {mode: on}",
     "catalog: {events: {a: {properties: {b: {type: number}}}}}", "destinations: [{nme: a}]", "watch_interval_s: -1",
     "privacy: {rules: [{keys: [a], method: mask, keep_last: 5}]}", "source: x"],
)  # fmt: skip
def test_schema_and_reader_refuse_the_same_mistakes(text: str) -> None:
    """What an editor marks, the package refuses too."""
    assert not VALIDATOR.is_valid(yaml.safe_load(text))
    with pytest.raises(Exception, match=r"p\.yaml:1: "):
        parse_policy(text, source="p.yaml")


def test_off_may_stand_without_quotes() -> None:
    """YAML 1.1 makes `off` false; reader and schema take it for the word all the same."""
    text = "catalog: {mode: off}\nprivacy: {detectors: {phone: off}}\n"
    assert parse_policy(text, source="p.yaml").privacy.detectors["phone"].value == "off"
    VALIDATOR.validate(yaml.safe_load(text))
