"""What a policy is advised to say, what `also_<list>` adds, and what is told of a policy that takes off less."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from otel_posthog.apps.cli import main
from otel_posthog.errors import PolicyError
from otel_posthog.model import Receipt
from otel_posthog.policy import HitMethod, Policy
from otel_posthog.policy.advice import adds_to
from otel_posthog.policy.checks import weaknesses
from otel_posthog.policy.fields import NOT_IN_FILE, FrozenMap
from otel_posthog.policy.sections.collection import CollectionPolicy
from otel_posthog.policy.sections.privacy import OperationalPolicy, PrivacyPolicy
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.privacy import Filter

BUILT_IN = Policy()
SECTIONS = {"": Policy, "privacy": PrivacyPolicy, "operational": OperationalPolicy, "collection": CollectionPolicy}
ADVISED = re.compile(r"(?:did you mean|write) `([a-z_]+)(?:`\?|: \[)")


def listed() -> Iterator[tuple[str, str, Any]]:
    """Yield section, name and an item of every list, set and map of choices that a policy has."""
    for section, kind in SECTIONS.items():
        for each in fields(kind):
            hint = get_type_hints(kind)[each.name]
            if get_origin(hint) is not FrozenMap:
                hint = next((inner for inner in get_args(hint) if get_origin(inner) is frozenset), hint)
            if each.name in NOT_IN_FILE or each.metadata.get("reserved") or each.name in {"destinations", "derive"}:
                continue
            if get_origin(hint) is FrozenMap and get_args(hint)[1] is not HitMethod:
                continue
            if get_origin(hint) in {frozenset, tuple, FrozenMap}:
                choices = sorted(each.metadata.get("choices", ()))
                item = {"keys": ["iq"], "method": "drop"} if each.name == "rules" else (choices or ["nick"])[0]
                yield section, each.name, item


LISTS = list(listed())


def mistyped(name: str) -> set[str]:
    """Return ways to get the key `name`, and `also_` with it, wrong; some of them are right."""
    found = set()
    for key in (name, f"also_{name}"):
        found |= {key, key[:-1], f"{key}s", key.title().replace("_", ""), key.upper(), key.replace("_", "-"),
                  key.replace("_", ""), key.replace("_", " "), f"{key}_", key[:2] + key[3:], key[:-2] + key[-1],
                  key[1] + key[0] + key[2:], f"add_{key}", f"{key}_list"}  # fmt: skip
        found.add(re.sub("_([a-z])", lambda hump: hump[1].upper(), key))
    return found


def written(section: str, key: str, value: object) -> str:
    """Return a policy with `key: value` in `section`."""
    return json.dumps({section: {key: value}} if section else {key: value})


def following(section: str, key: str, value: object) -> Policy | None:
    """Return the policy that somebody has who does what each complaint says; None where one names no key."""
    try:
        return parse_policy(written(section, key, value), source="p.yaml")
    except PolicyError as error:
        advised = ADVISED.search(str(error))
        is_list = advised is not None and f"{advised[1]}: [" in str(error)
    if advised is None or (advised[1] == key and not is_list):
        return None
    return following(section, advised[1], [value] if is_list else value)


def assert_no_weaker(policy: Policy, given: object) -> None:
    """Require that a policy takes off what the built-in one does; `given` may be let out by `allow`."""
    asked = {each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)}
    assert policy.privacy.sensitive_keys >= BUILT_IN.privacy.sensitive_keys
    assert policy.privacy.id_keys >= BUILT_IN.privacy.id_keys
    assert policy.privacy.allow <= BUILT_IN.privacy.allow | asked
    assert {**policy.privacy.detectors} == {**BUILT_IN.privacy.detectors}
    assert policy.operational.user_keys >= BUILT_IN.operational.user_keys
    assert set(policy.operational.user_key_prefixes) >= set(BUILT_IN.operational.user_key_prefixes)
    assert (policy.operational.id_keys or BUILT_IN.privacy.id_keys) >= BUILT_IN.privacy.id_keys
    assert set(policy.collection.off_switches) >= set(BUILT_IN.collection.off_switches)
    assert Filter(policy.privacy).properties({"password": "hunter" + "2"}, Receipt()) == {}


@pytest.mark.parametrize(("section", "name", "item"), LISTS)
def test_no_advice_makes_a_filter_weaker(section: str, name: str, item: object) -> None:
    """Every list of the schema, each way to mistype it, one value or a list: what is advised is at least as much."""
    right = {name} if name != "allow" else {name, "also_allow"}
    followed = 0
    for key in sorted(mistyped(name) - right):
        for value in (item, [item]):
            policy = following(section, key, value)
            if policy is not None:
                assert_no_weaker(policy, value)
                followed += 1
    # One value where a list is wanted is the same mistake under the right key.
    policy = following(section, name, item)
    if policy is not None and name != "allow":
        assert_no_weaker(policy, item)
    assert followed > 20


@pytest.mark.parametrize(("section", "name", "item"), LISTS)
def test_also_adds_to_every_list_that_has_something_to_add_to(section: str, name: str, item: object) -> None:
    """In the file, and behind what replaces the list, whichever of the two stands first."""
    kind = SECTIONS[section]
    if not adds_to(name, get_type_hints(kind)[name]):
        with pytest.raises(PolicyError):
            parse_policy(written(section, f"also_{name}", [item]), source="p.yaml")
        return
    before, after = (getattr(getattr(each, section), name) for each in (
        BUILT_IN, parse_policy(written(section, f"also_{name}", [item]), source="p.yaml")))  # fmt: skip
    before = BUILT_IN.privacy.id_keys if before is None else before
    assert set(before) <= set(after)
    assert len(after) >= len(before)
    for keys in ((name, f"also_{name}"), (f"also_{name}", name)):
        text = json.dumps({section: {key: [] if key == name else [item] for key in keys}})
        assert len(getattr(getattr(parse_policy(text, source="p.yaml"), section), name)) == 1


def test_one_rule_of_a_destination_drops_none_of_the_policy() -> None:
    """`also_rules` is asked first, and the policy's after it."""
    policy = parse_policy(
        "destinations:\n  - {privacy: {also_rules: [{keys: [a], method: mask}], also_sensitive_keys: [ward]}}\n"
        "privacy:\n  rules: [{keys: [a, b], method: drop}]\n  also_sensitive_keys: [diagnosis]\n",
        source="p.yaml",
    )
    own = policy.privacy_of(policy.destinations[0])
    assert [rule.keys for rule in own.rules] == [("a",), ("a", "b")]
    assert {"ward", "diagnosis"} <= own.sensitive_keys
    assert Filter(own).properties({"a": "x", "b": "y"}, Receipt()) == {"a": "****"}


def test_also_detectors_changes_no_other() -> None:
    """As a list and as a map."""
    policy = parse_policy("privacy: {detectors: [email], also_detectors: [ip]}", source="p.yaml")
    assert dict(policy.privacy.detectors) == {"email": HitMethod.REPLACE, "ip": HitMethod.REPLACE}
    policy = parse_policy("privacy: {also_detectors: {ip: ip_prefix}}", source="p.yaml")
    assert dict(policy.privacy.detectors) == {**BUILT_IN.privacy.detectors, "ip": HitMethod.IP_PREFIX}


WEAKER = {
    "{identity_user: {takes_emails: true}}": "a user's id may be an e-mail address",
    "{identity_user: {believes_browser: true}}": "anybody may send events in the name of anybody",
    "{privacy: {sensitive_keys: []}}": "`privacy.sensitive_keys` is without",
    "{privacy: {sensitive_keys: [nick]}}": "`also_sensitive_keys` adds to it",
    "{privacy: {id_keys: []}}": "`privacy.id_keys` is without",
    "{privacy: {also_allow: [user.id]}}": "`privacy.allow` lets out `user.id`",
    "{privacy: {detectors: [email]}}": "the detectors",
    "{privacy: {detectors: {email: 'off'}}}": "the detectors `email` are off",
    "{privacy: {rules: [{keys: ['*'], method: keep}]}}": "keeps everything under every key",
    "{privacy: {rules: [{detector: email, method: keep}]}}": "keeps whatever the detector email finds",
    "{operational: {redact: false}}": "`operational.redact: false`",
    "{operational: {user_keys: []}}": "`operational.user_keys` is without",
    "{trace_url: 'https://ann:x@grafana.example/{trace_id}'}": "`trace_url` has a user in it",
    "{destinations: [{privacy: {detectors: [email]}}]}": "are off (destination default)",
}


@pytest.mark.parametrize("text", WEAKER)
def test_a_weaker_policy_is_told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be meant so: it can be used, and whoever checks it, or asks the doctor, reads what it lets through."""
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    assert main(["policy", "check", str(path)]) == 0
    out = capsys.readouterr().out
    assert "weaker than built in: " in out
    assert WEAKER[text] in out


@pytest.mark.parametrize(
    "text", ["{}", "{privacy: {also_sensitive_keys: [x], allow: [http.route], detectors: {ip: ip_prefix}}}",
             "{privacy: {rules: [{keys: ['a.*'], method: keep}]}, identity: identified}"]
)  # fmt: skip
def test_a_policy_as_strong_is_not_complained_of(text: str) -> None:
    """Nor is one that keeps what it names."""
    assert list(weaknesses(parse_policy(text, source="p.yaml"))) == []
    assert is_dataclass(Policy)


def test_the_doctor_tells_a_weaker_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a note: nothing is wrong."""
    path = tmp_path / "p.yaml"
    path.write_text("operational: {redact: false}\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(path))
    main(["doctor", "--json"])
    notes = [each for each in json.loads(capsys.readouterr().out) if "weaker than built in" in each["says"]]
    assert [each["level"] for each in notes] == ["note"]
