"""The subcommand `pseudonym`: what an operator needs to erase a person."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from events import KEY, NEXT_KEY, ring

from otel_posthog.apps import cli
from otel_posthog.identity import Pseudonyms

OLD, NEW = Pseudonyms(keys=ring(KEY)), Pseudonyms(keys=ring(NEXT_KEY))


@pytest.fixture(autouse=True)
def _two_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app has two keys, the second from 2026-01-02 on."""
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY_KEYS", f"{KEY},2026-01-02 {NEXT_KEY}")


def test_ids_from_standard_input_or_arguments_give_what_the_app_sends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for each, in order, under the key of now; a hint tells that there are more keys."""
    for arguments in ([], ["-"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("u-4711\n\n u-4712 \n"))
        assert cli.main(["pseudonym", *arguments]) == 0
        captured = capsys.readouterr()
        assert captured.out.split() == [NEW.user("u-4711", 0), NEW.user("u-4712", 0)]
        assert captured.err == "there are 2 keys: --all-keys prints the pseudonyms under each\n"
    assert cli.main(["pseudonym", "u-4711"]) == 0
    assert capsys.readouterr().out.split() == [NEW.user("u-4711", 0)]


def test_every_id_that_posthog_may_have(capsys: pytest.CaptureFixture[str]) -> None:
    """`--all-keys` has one under each key, and `--json` says since when; the id itself is never printed."""
    assert cli.main(["pseudonym", "--all-keys", "--json", "u-4711"]) == 0
    captured = capsys.readouterr()
    assert [json.loads(line) for line in captured.out.splitlines()] == [
        {"pseudonym": OLD.user("u-4711", 0), "key_since": None},
        {"pseudonym": NEW.user("u-4711", 0), "key_since": "2026-01-02T00:00:00+00:00"},
    ]
    assert "u-4711" not in captured.out + captured.err


@pytest.mark.parametrize(("at", "which"), [("2026-01-01", OLD), ("2026-01-02T00:00:00Z", NEW)])
def test_the_one_of_a_time(at: str, which: Pseudonyms, capsys: pytest.CaptureFixture[str]) -> None:
    """For an event that is before one."""
    assert cli.main(["pseudonym", "--at", at, "u-4711"]) == 0
    assert capsys.readouterr().out.split() == [which.user("u-4711", 0)]


def test_groups_too(capsys: pytest.CaptureFixture[str]) -> None:
    """`--group TYPE` gives what stands for a group of that type."""
    assert cli.main(["pseudonym", "--group", "company", "acme"]) == 0
    assert capsys.readouterr().out.split() == [NEW.group("company", "acme", 0)]


def test_the_keys_of_a_policy_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The path of the keys in it is relative to it."""
    monkeypatch.delenv("OTEL_POSTHOG_IDENTITY_KEYS")
    (tmp_path / "keys").write_text(KEY, encoding="utf-8")
    policy = tmp_path / "policy.yaml"
    policy.write_text("identity: pseudonymous\nidentity_keys_file: keys\n", encoding="utf-8")
    assert cli.main(["pseudonym", "--policy", str(policy), "u-4711"]) == 0
    assert capsys.readouterr().out.split() == [OLD.user("u-4711", 0)]


@pytest.mark.parametrize(
    ("keys", "arguments", "words"),
    [
        ("", [], "no keys: set OTEL_POSTHOG_IDENTITY_KEYS_FILE or OTEL_POSTHOG_IDENTITY_KEYS"),
        ("short", [], "a key of 5 bytes; 32 are needed"),
        (f"2026-01-02 {KEY}", ["--at", "2026-01-01"], "no key was in use at that time"),
    ],
)
def test_what_cannot_work_is_one_line_and_status_1(
    keys: str,
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What to do, without the id."""
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY_KEYS", keys)
    assert cli.main(["pseudonym", *arguments, "u-4711"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert len(captured.err.splitlines()) == 1
    assert "u-4711" not in captured.err


def test_a_time_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the form that it has to have."""
    with pytest.raises(SystemExit):
        cli.main(["pseudonym", "--at", "yesterday"])
    assert "write 2026-05-01 or 2026-05-01T12:00:00Z" in capsys.readouterr().err
