"""`otel-posthog policy`: check, show, schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from otel_posthog.apps.cli import main
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy import Policy
from otel_posthog.policy.schema import policy_schema
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.setup.settings import read_settings

EXAMPLE = Path(__file__).parents[2] / "examples" / "policy.yaml"


def test_check_says_what_a_good_policy_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy that can be used is status 0, with the variables that it names and whether they are set here."""
    monkeypatch.setenv("SHOP_HMAC_KEY", "k" * 32)
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY_KEYS", "0123456789abcdefghijklmnopqrstuvwxyz")
    assert main(["policy", "check", str(EXAMPLE)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"{EXAMPLE}: can be used"
    assert "SHOP_HMAC_KEY (key of the method hmac): set\n" in out
    assert "SHOP_VENDOR_POSTHOG_KEY (key of the destination vendor): not set here\n" in out
    assert "kkkk" not in out


def test_check_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that cannot be used is status 1 and the line that a start would log."""
    path = tmp_path / "p.yaml"
    path.write_text("version: 1\nprivcy: {}\n", encoding="utf-8")
    assert main(["policy", "check", str(path)]) == 1
    assert capsys.readouterr().err == f"{path}:2: `privcy` is not a key of the policy; did you mean `privacy`?\n"
    assert main(["policy", "check"]) == 2


def test_check_says_each_mistake_in_a_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the file, whether a key, a value or what it means is wrong; a start logs the first."""
    path = tmp_path / "p.yaml"
    path.write_text(
        "destinations: [{nme: a}]\nidentity: anon\nprivacy:\n  max_depth: no\n  alow: [a]\n", encoding="utf-8"
    )
    assert main(["policy", "check", str(path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.removeprefix(f"{path}:")[:12] for line in lines] == [
        "1: `nme` is ",
        "2: `identity",
        "4: `max_dept",
        "5: `alow` is",
    ]
    path.write_text(
        "trace_url: '{user}'\nprivacy:\n  rules: [{method: keep}, {method: bucket, keys: [a]}]\n", encoding="utf-8"
    )
    assert main(["policy", "check", str(path)]) == 1
    assert [line.removeprefix(f"{path}:")[:2] for line in capsys.readouterr().err.splitlines()] == ["1:", "3:", "3:"]


PSEUDONYMOUS = "identity: pseudonymous needs a key of 32 bytes or more"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("privacy: {hmac_key: {file: missing}}", "missing with a key cannot be read (No such file or directory)"),
        ("privacy: {hmac_key: {file: short}}", "short has 5 bytes; put a random key of at least 32 bytes there"),
        ("privacy: {hmac_key: {file: .}}", "with a key cannot be read (Is a directory)"),
        ("privacy: {hmac_key: {env: SHORT}}", "the environment variable SHORT has 5 bytes"),
        ("destinations: [{name: a, privacy: {hmac_key: {file: missing}}}]", "missing with a key cannot be read"),
        ("identity_keys_file: missing", "missing: the key file cannot be read"),
        ("identity_keys_file: short", "a key of 5 bytes; 32 are needed"),
        ("identity: pseudonymous", PSEUDONYMOUS),
        ("destinations: [{name: a, api_key_env: KEY, identity: pseudonymous}]", PSEUDONYMOUS),
        ("destinations: [{name: a, api_key: phx_a}]", "is a personal API key"),
        ("destinations: [{name: a, api_key: '\"phc_a\"'}]", "has quotes around it"),
        ("catalog: {file: missing.yaml}", "the catalog cannot be read"),
        ("identity: pseudonymous\nidentity_keys_file: good", ""),
        ("identity_keys_file: good", ""),
        ("privacy: {hmac_key: {file: good}, detectors: {email: hmac}}", ""),
        ("destinations: [{name: a, api_key_env: KEY}]", ""),
        ("derive: []", ""),
        ("collection: {off_switches: [SHORT]}", ""),
    ],
)
def test_check_refuses_what_cannot_start(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of keys are looked at, and modes that need them; what is wrong ends a start in the same way."""
    monkeypatch.setenv("SHORT", "short")
    (tmp_path / "good").write_text("0123456789abcdefghijklmnopqrstuvwxyz\n")
    (tmp_path / "short").write_text("short")
    path = tmp_path / "p.yaml"
    path.write_text(text)
    status = main(["policy", "check", str(path)])
    err = capsys.readouterr().err
    if not message:
        assert (status, err) == (0, "")
        read_settings({"KEY": "phc_x"}, policy=str(path))
        return
    assert status == 1
    assert err.startswith(str(tmp_path))
    assert message in err
    assert err.count("\n") == 1
    with pytest.raises(ConfigurationError) as refused:
        read_settings({"SHORT": "short", "KEY": "phc_x"}, policy=str(path))
    assert message in str(refused.value)


def test_check_passes_what_only_the_app_can_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that is not set on this machine is named, and no mistake."""
    path = tmp_path / "p.yaml"
    path.write_text("privacy: {hmac_key: {env: OF_THE_APP}, detectors: {email: hmac}}\n")
    assert main(["policy", "check", str(path)]) == 0
    assert capsys.readouterr().out.endswith("  OF_THE_APP (key of the method hmac): not set here\n")


def test_show_is_a_policy_without_its_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown can be read again, has the environment in it, and tells no key."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_" + "sesame")
    monkeypatch.setenv("POSTHOG_HOST", "https://eu.i.posthog.com")
    monkeypatch.setenv("A_KEY", "open" * 8)
    path = tmp_path / "p.yaml"
    path.write_text("privacy: {hmac_key: {env: A_KEY}, detectors: {phone: off}}\n", encoding="utf-8")
    assert main(["policy", "show", str(path)]) == 0
    out = capsys.readouterr().out
    assert "sesame" not in out
    assert "openopen" not in out
    assert out.startswith(f"# {path}, with this environment; collection is on\n")
    shown = parse_policy(out, source="shown")
    assert shown.destinations[0].host == "https://eu.i.posthog.com"
    assert shown.privacy.detectors["phone"].value == "off"
    assert shown.delivery == Policy().delivery
    assert main(["policy", "show", str(path), "--section", "delivery"]) == 0
    assert list(yaml.safe_load(capsys.readouterr().out)) == ["delivery"]
    assert main(["policy", "show", "--section", "nonsense"]) == 2


def test_schema_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """An editor can be given what the command prints."""
    assert main(["policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == policy_schema()
