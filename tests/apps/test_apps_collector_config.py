"""`otel-posthog collector-config`: what it prints, compares and refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_posthog.actor.attributes import SESSION_ID_KEYS, USER_ID_KEYS, WINDOW_ID_KEYS
from otel_posthog.apps.cli import main
from otel_posthog.apps.collector_config.attribute import Told, told_by
from otel_posthog.apps.collector_config.derive import refused
from otel_posthog.apps.collector_config.formats import collector_config
from otel_posthog.apps.collector_config.keys import blocked_humps, blocked_keys
from otel_posthog.apps.collector_config.operational import KEY
from otel_posthog.apps.collector_config.ottl import FIELDS, HELD, hold, put_back, quoted
from otel_posthog.apps.collector_config.patterns import PATTERNS
from otel_posthog.conventions import OLD_NAMES
from otel_posthog.policy import IdentityMode, Policy, PrivacyPolicy
from otel_posthog.policy.shipped_rules import GROUPS


def processors(text: str) -> dict[str, Any]:
    """Return the processors in a configuration, as the Collector reads them."""
    found: dict[str, Any] = yaml.safe_load(text.replace("$$", "$"))["processors"]
    return found


def test_it_is_the_same_for_the_same_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """To the byte, so that it can be compared in CI."""
    assert main(["collector-config"]) == 0
    first = capsys.readouterr().out
    assert first == collector_config(Policy(), "the built-in policy")
    assert "the built-in policy" in first.splitlines()[0]


def test_a_difference_that_takes_two_lines_is_one_of_the_list() -> None:
    """What goes on in the next line has no dash of its own, and is indented as the first."""
    listed = re.findall(
        r"^#   (.*)$", collector_config(Policy(), "p").partition("filters of the package do:")[2], re.MULTILINE
    )
    assert [each for each in listed if each.startswith("  ")]
    assert [each for each in listed if not re.match(r"(?:- |  )\S", each)] == []


def test_check_tells_whether_a_file_is_what_the_policy_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 where it is, 1 and what to do where it is not; nothing is written."""
    path = tmp_path / "privacy.yaml"
    assert main(["collector-config", "--output", str(path)]) == 0
    assert main(["collector-config", "--check", str(path)]) == 0
    path.write_text("old")
    assert main(["collector-config", "--check", str(path)]) == 1
    assert f"make it anew with --output {path}" in capsys.readouterr().err
    assert path.read_text() == "old"


def test_a_policy_that_cannot_be_used_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file and the line."""
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nprivacy:\n  alow: [x]\n")
    assert main(["collector-config", "--policy", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"otel-posthog collector-config: {path}:3: ")
    assert said.count("\n") == 1


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its name and why."""
    assert main(["collector-config", "--output", str(tmp_path / "no" / "x.yaml")]) == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_the_policy_decides_what_may_come_through(tmp_path: Path) -> None:
    """Allowed keys, sensitive words, detectors that are off, and an operational side without redaction."""
    path = tmp_path / "policy.yaml"
    path.write_text(
        "version: 1\nprivacy:\n  also_allow: [tenant.plan]\n  also_sensitive_keys: [badge]\n"
        "  detectors: [email]\noperational: {redact: false}\n"
    )
    out = tmp_path / "privacy.yaml"
    assert main(["collector-config", "--policy", str(path), "--output", str(out)]) == 0
    made = processors(out.read_text())
    assert not [name for name in made if name.startswith("redaction/operational")]
    assert "tenant" in str(made["transform/product_before"])
    assert "badge" in made["redaction/kafka_keys"]["blocked_key_patterns"][0]
    assert "Badge" in made["redaction/kafka_humps"]["blocked_key_patterns"][0]
    found = {name: each["blocked_values"] for name, each in made.items() if each.get("blocked_values")}
    assert found.keys() == {"redaction/kafka_unseen", "redaction/kafka_addresses"}
    assert found["redaction/kafka_addresses"] == list(PATTERNS["email"])


def test_ids_go_to_the_gateway_only_where_the_mode_needs_them() -> None:
    """In `anonymous` nobody's id leaves the Collector; else they come through whole, for the gateway to decide."""

    def ignored(made: dict[str, Any]) -> set[str]:
        return set(made["redaction/kafka_addresses"]["ignored_key_patterns"])

    ids = {rf"^{re.escape(key)}\z" for key in (*USER_ID_KEYS, *SESSION_ID_KEYS, *WINDOW_ID_KEYS)}
    anonymous = processors(collector_config(Policy(), "p"))
    identified = processors(collector_config(Policy().with_identity(IdentityMode.IDENTIFIED), "p"))
    assert not ids & ignored(anonymous)
    assert "(?:user|session|window)" in str(anonymous["transform/product_before"])
    assert ids <= ignored(identified)
    assert "(?:user|session|window)" not in str(identified["transform/product_before"])


def test_keys_are_not_needed_to_compile(tmp_path: Path) -> None:
    """In CI nobody has those of `pseudonymous`."""
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nidentity: pseudonymous\n")
    assert main(["collector-config", "--policy", str(path), "--output", str(tmp_path / "p.yaml")]) == 0


def test_what_is_held_is_put_back() -> None:
    """Every field that goes into an attribute comes out of it, and the attribute goes."""
    for context, fields in FIELDS.items():
        held, back = list(hold(context)), list(put_back(context))
        assert len(held) == len(back) == 2 * len(fields)
        assert all(HELD + field in held[2 * at] and HELD + field in back[2 * at + 1] for at, field in enumerate(fields))


def test_strings_of_ottl_are_escaped() -> None:
    """A quote or a backslash of a policy's word ends no string."""
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'


def test_a_dollar_sign_begins_no_variable() -> None:
    """The Collector would put a variable of its environment in place of it; only the key of uuids is one."""
    text = collector_config(Policy(privacy=PrivacyPolicy(sensitive_keys=frozenset({"cost in $"}))), "p")
    assert text.count(KEY) == 8
    text = text.replace(KEY, "")
    assert re.search(r"(?<!\$)\$(?!\$)", text) is None


@pytest.mark.parametrize(
    ("key", "is_blocked"),
    [
        ("password", True),
        ("user_password", True),
        ("userPassword", True),
        ("passwordHash", True),
        ("zip", True),
        ("addressZip", True),
        ("zipped", False),
        ("auth", True),
        ("author", False),
        ("lat", True),
        ("latency", False),
        ("api_key", True),
        ("x-api-key", True),
        ("apiKeyId", True),
    ],
)
def test_keys_are_blocked_by_whole_words(key: str, is_blocked: bool) -> None:
    """As in the filters: `auth` is not in `author`."""
    patterns = [
        _of_python(each) for made in (blocked_keys, blocked_humps) for each in made(PrivacyPolicy().sensitive_keys)
    ]
    assert any(re.search(each, key) for each in patterns) is is_blocked


def _of_python(pattern: str) -> str:
    """Return a pattern of RE2 as Python writes it, as far as those of keys need it."""
    return pattern.replace(r"[^\pL]", "[^A-Za-z]").replace(r"\z", r"\Z")


RULES = """\
version: 1
derive:
  - web
  - slow_query
  - {name: wrote, event: wrote, when: {attributes: {db.operation.name: {equals: INSERT}}}}
  - {name: posted, event: posted, when: {kind: [server], child: {db.collection.name: post}}}
"""


@pytest.mark.parametrize("form", ["otel", "alloy"])
def test_rules_that_a_collector_cannot_follow_are_refused_by_name(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with what they need and where they run instead; the others are followed in either format."""
    path = tmp_path / "policy.yaml"
    path.write_text(RULES)
    assert main(["collector-config", "--policy", str(path), "--format", form]) == 0
    said = capsys.readouterr()
    first, second = said.err.splitlines()
    assert "`wrote` (needs the text of a query), `posted` (needs the spans inside a span)" in first
    assert "in an app with this package" in first
    assert "`operation` and `collection` of `slow_query`" in second
    assert "SPAN_KIND_SERVER" in said.out
    assert "INSERT" not in said.out


def test_without_rules_no_unmarked_item_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is derived until a policy says so."""
    assert main(["collector-config"]) == 0
    said = capsys.readouterr()
    assert not said.err
    assert processors(said.out)["filter/product_spans"]["traces"]["span"][1:] == [
        'attributes["analytics.event"] == nil and Len(events) == 0'
    ]


def test_rules_that_come_with_the_package_run_behind_a_collector() -> None:
    """All of them."""
    assert not refused(Policy(derive=GROUPS))


def test_how_each_older_name_tells_a_value_is_known() -> None:
    """Or it is listed here that a Collector keeps whatever stands there: what a new row is to be must be decided."""
    left = {(key, name) for key in OLD_NAMES for name, told, _ in told_by(key) if told is Told.LEFT}
    assert left == {
        ("server.address", "http.url"),
        *(
            (key, name)
            for key in ("db.operation.name", "db.collection.name")
            for name in ("db.query.text", "db.statement")
        ),
        ("db.operation.name", "db.operation.name"),
        ("db.operation.name", "db.operation"),
    }
