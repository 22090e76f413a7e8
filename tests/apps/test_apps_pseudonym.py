"""The subcommand `pseudonym`: what an operator needs to erase a person."""

from __future__ import annotations

import io
import itertools
import json
import time
from pathlib import Path

import pytest
from events import KEY, NEXT_KEY, ring
from telemetry import Telemetry

from otel_posthog.apps import cli
from otel_posthog.identity import DailySalts, Pseudonyms
from otel_posthog.identity.pseudonyms import daily_pseudonym
from otel_posthog.policy import IdentityMode

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


def test_every_pseudonym_of_an_id(capsys: pytest.CaptureFixture[str]) -> None:
    """`--all-keys` has one under each key, and `--json` says since when; the id itself is not printed."""
    assert cli.main(["pseudonym", "--all-keys", "--json", "u-4711"]) == 0
    captured = capsys.readouterr()
    assert [json.loads(line) for line in captured.out.splitlines()] == [
        {"pseudonym": OLD.user("u-4711", 0), "key_since": None},
        {"pseudonym": NEW.user("u-4711", 0), "key_since": "2026-01-02T00:00:00+00:00"},
    ]
    assert "u-4711" not in captured.out + captured.err


def test_what_is_to_be_erased_of_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--erase` has every id that events of any mode may have, and says what nobody can know."""
    monkeypatch.setenv("OTEL_POSTHOG_STATE_DIR", str(tmp_path))
    salts = DailySalts(tmp_path)
    day, salt = salts.at(time.time_ns()) or ("", b"")
    sent = {"identified": {"u-4711"}, "pseudonymous": set(), "daily": set(), "installation": set(), "unlinked": set()}
    for mode, keys in itertools.product(IdentityMode, (KEY, NEXT_KEY)):
        with Telemetry(mode, pseudonyms=Pseudonyms(keys=ring(keys), salts=salts)) as app:
            app.tracer.start_span("op", attributes={"analytics.event": "e", "analytics.user.id": "u-4711"}).end()
        sent[mode.value].add(app.only["distinct_id"])
    assert cli.main(["pseudonym", "--erase", "--json", "u-4711"]) == 0
    captured = capsys.readouterr()
    told = [json.loads(line) for line in captured.out.splitlines()]
    for name in ("identified", "pseudonymous", "daily"):
        assert sent[name] <= {each["pseudonym"] for each in told if each["mode"] == name}
    # A service that only knows the lasting pseudonym.
    assert daily_pseudonym(day, salt, str(OLD.user("u-4711", 0))) in {each["pseudonym"] for each in told}
    for words in ("days that are over", "--session", "--group TYPE", "not among these any more", "installation's id"):
        assert words in captured.err
    assert cli.main(["pseudonym", "--erase", "u-4711"]) == 0
    assert capsys.readouterr().out.split() == [each["pseudonym"] for each in told]


def test_to_look_for_what_is_to_be_erased_makes_no_salt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does it need a key: events of the mode identified have the id itself."""
    monkeypatch.setenv("OTEL_POSTHOG_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("OTEL_POSTHOG_IDENTITY_KEYS")
    assert cli.main(["pseudonym", "--erase", "u-4711"]) == 0
    assert capsys.readouterr().out.split() == ["u-4711"]
    assert not (tmp_path / "state").exists()


SESSION = "019b7ca7-d388-7000-8000-0000000000ff"


def test_what_is_to_be_erased_of_sessions_and_groups(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are named: what events of them have, and what a group is called that was updated without a user."""
    sent: dict[str, set[str]] = {"session": set(), "group": set()}
    for mode, keys in itertools.product((IdentityMode.PSEUDONYMOUS, IdentityMode.IDENTIFIED), (KEY, NEXT_KEY)):
        with Telemetry(mode, pseudonyms=Pseudonyms(keys=ring(keys))) as app:
            given = {"analytics.session.id": SESSION, "analytics.group.company": "acme"}
            app.tracer.start_span("op", attributes={"analytics.event": "e", **given}).end()
            update: dict[str, str | int] = {"analytics.event": "$groupidentify", **given}
            update["analytics.group.set.company.size"] = 5
            app.tracer.start_span("op", attributes=update).end()
        product, group = app.events
        sent["session"].add(product.get("session_id") or product["properties"]["session_id"])
        sent["group"] |= {product["properties"]["$groups"]["company"], group["distinct_id"]}
    assert cli.main(["pseudonym", "--erase", "--session", SESSION]) == 0
    assert set(capsys.readouterr().out.split()) == sent["session"]
    assert cli.main(["pseudonym", "--erase", "--group", "company", "acme"]) == 0
    assert set(capsys.readouterr().out.split()) == sent["group"]
    assert cli.main(["pseudonym", "--session", SESSION]) == 0
    assert capsys.readouterr().out.split() == [NEW.session(SESSION, 0)]


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
    assert cli.main(["pseudonym", *arguments, "u-4711"]) == 2
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
