"""`otel-posthog spool`, as somebody at a terminal uses it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clean import clean
from spooled import spool

from otel_posthog.apps.cli import main
from otel_posthog.apps.spool.survey import survey
from otel_posthog.deliver import spool_root
from otel_posthog.model import CleanEvent
from otel_posthog.policy import Destination
from otel_posthog.testing import FakePostHog, Fault

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spool that the commands find."""
    monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(tmp_path / "spool"))
    return tmp_path / "spool"


@pytest.fixture
def posthog(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> FakePostHog:
    """The PostHog that the commands send to."""
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    return fake_posthog


def left_behind(root: Path, count: int, *, first: int = 0, dead: int = 0, destination: str = "default") -> None:
    """Have a process that ended leave events, some of them as dead letters."""
    bound = Destination(destination, os.environ.get("POSTHOG_API_KEY"), os.environ.get("POSTHOG_HOST", "http://x"))
    store = spool(root, destination=spool_root(os.environ, root).folder_of(bound))
    for number in range(first, first + count + dead):
        store.put(clean(number, "ticket_created", destination=destination))
    if dead:
        store.dead_letter(store.take(dead, 10**6), "too_large")
    store.close()


def test_list_says_how_much_waits_and_whose_it_is(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row for each directory; what a running process has is told from what is left behind."""
    left_behind(root, 3, dead=1)
    living = spool(root / "other")
    living.close()
    busy = subprocess.Popen(
        [sys.executable, str(SUPPORT / "spool_worker.py"), str(root / "x"), "0", "2"], stdout=subprocess.PIPE
    )
    assert busy.stdout is not None
    while busy.stdout.readline() != b"done\n":
        pass
    assert main(["spool", "list"]) == 0
    out = capsys.readouterr().out
    assert "left behind" in out
    assert "3 events waiting" in out
    assert "1 dead letter" in out
    assert main(["spool", "list", "--json", "--directory", str(root / "x")]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["destination"], row["state"], row["events"], row["pid"]) == ("default", "in use", 2, busy.pid)
    busy.kill()
    busy.stdout.close()
    busy.wait()
    assert main(["spool", "list", "--destination", "none"]) == 2
    assert capsys.readouterr().err.endswith(
        "the policy has no destination none, and nothing of one waits; it has default\n"
    )
    policy = root.with_name("policy.yaml")
    policy.write_text("version: 1\ndestinations: [{name: quiet, api_key_env: QUIET_KEY}]\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(policy))
    monkeypatch.setenv("QUIET_KEY", "phc_0123456789")
    assert main(["spool", "list", "--destination", "quiet"]) == 0
    assert capsys.readouterr().out.startswith("nothing waits in")


def test_inspect_shows_events_as_they_will_be_sent_and_changes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The oldest first, pretty or as lines of JSON."""
    left_behind(root, 5)
    assert main(["spool", "inspect", "--limit", "2"]) == 0
    assert capsys.readouterr().out.count('"event": "ticket_created"') == 2
    assert main(["spool", "inspect", "--json", "--limit", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [clean(number, "ticket_created").body.decode() for number in range(5)]
    assert sum(each.events for each in survey(root)) == 5


def test_drain_sends_all_that_is_left_and_says_so(
    root: Path, posthog: FakePostHog, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 0 and an empty spool; everything arrived once."""
    left_behind(root, 250)
    left_behind(root, 50, first=1000)
    assert main(["spool", "drain"]) == 0
    assert "300 events delivered\nnothing is left" in capsys.readouterr().out
    assert len(posthog.unique_events) == len(posthog.events) == 300
    assert list(root.glob("default*/*")) == []
    assert main(["spool", "drain", "--json"]) == 0
    nothing = {"delivered": 0, "dropped": 0, "left": 0, "retried": {}, "reasons": {}, "cut_files": 0}
    assert json.loads(capsys.readouterr().out) == nothing


def test_drain_leaves_what_it_cannot_send(root: Path, posthog: FakePostHog, capsys: pytest.CaptureFixture[str]) -> None:
    """A PostHog that is away: exit 1, why, and everything is still there."""
    left_behind(root, 20)
    posthog.pause()
    started = time.monotonic()
    assert main(["spool", "drain", "--timeout", "1"]) == 1
    assert time.monotonic() - started < 20
    out = capsys.readouterr().out
    assert "20 events left for default: not delivered yet" in out
    assert "attempts failed: network_" in out
    posthog.resume()
    assert main(["spool", "drain"]) == 0
    assert len(posthog.unique_events) == 20


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("zeroed", "1 event damaged on disk, and lost"),
        ("cut", "1 file cut short: at least one event each is lost, nobody knows how many"),
        ("old", "20 events dropped: waited longer than `max_spool_age_s`"),
        ("refused", "20 events refused by PostHog: see `otel-posthog spool dead`"),
    ],
)
def test_drain_says_what_became_of_what_it_could_not_send(
    harm: str, said: str, *, root: Path, posthog: FakePostHog, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Each way of losing events is a line of its own, and dead letters are named where there are some."""
    left_behind(root, 20)
    (path,) = root.glob("*/*/*.seg")
    content = path.read_bytes()
    if harm == "zeroed":
        # Within one record: each has 512 bytes.
        path.write_bytes(content[:1200] + bytes(50) + content[1250:])
    if harm == "cut":
        path.write_bytes(content[:1200])
    if harm == "old":
        (tmp_path / "policy.yaml").write_text("delivery: {max_spool_age_s: 0.001}\n")
        monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(tmp_path / "policy.yaml"))
    if harm == "refused":
        posthog.fault(Fault(status=415, times=None))
    assert main(["spool", "drain"]) == 0
    out = capsys.readouterr().out
    assert said in out.splitlines()
    assert ("spool dead" in out) == (harm == "refused")


@pytest.mark.alone
@pytest.mark.parametrize("fault", [Fault(hang_s=60, times=None), Fault(status=503, times=None)])
def test_drain_keeps_its_timeout(
    fault: Fault, root: Path, posthog: FakePostHog, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host that swallows what it gets, or fails, holds it up no longer; nothing is lost."""
    left_behind(root, 1)
    posthog.fault(fault)
    started = time.monotonic()
    assert main(["spool", "drain", "--timeout", "3"]) == 1
    assert 2.9 <= time.monotonic() - started < 4.0
    assert "1 event left for default: not delivered yet" in capsys.readouterr().out
    posthog.clear_faults()
    assert main(["spool", "drain"]) == 0


@pytest.mark.alone
def test_drain_gives_a_dead_host_up_and_says_little(
    root: Path, posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an event getting through it ends long before its timeout, with a line for each reason at most."""
    monkeypatch.setattr("otel_posthog.apps.spool.drain.STALLED_S", 3.0)
    monkeypatch.setattr("otel_posthog.apps.spool.drain.REPORT_S", 0.2)
    left_behind(root, 1)
    posthog.pause()
    started = time.monotonic()
    assert main(["spool", "drain"]) == 1
    assert 2.9 <= time.monotonic() - started < 5.0
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 1
    assert "attempts failed: network_" in told.out
    assert "0 events delivered" in told.out
    # A host that works, however slowly, is not given up.
    posthog.resume()
    left_behind(root, 400, first=1000)
    posthog.fault(Fault(delay_s=1.0, times=None))
    assert main(["spool", "drain"]) == 0
    assert len(posthog.unique_events) == 401


def test_drain_respects_an_off_switch(
    root: Path, posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was collected before somebody said no is not sent after it."""
    left_behind(root, 2)
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    assert main(["spool", "drain"]) == 2
    assert "nothing is sent: usage statistics are disabled by DO_NOT_TRACK=1" in capsys.readouterr().err
    assert posthog.events == []


def test_dead_letters_are_listed_and_replayed(
    root: Path, posthog: FakePostHog, capsys: pytest.CaptureFixture[str]
) -> None:
    """One by its uuid, then the rest; each is sent once more and stands nowhere twice."""
    left_behind(root, 0, dead=4)
    assert main(["spool", "dead"]) == 0
    out = capsys.readouterr().out
    assert out.count("too_large") == 4
    assert out.count("ticket_created") == 4
    assert main(["spool", "replay", clean(2).uuid]) == 0
    assert "1 dead letter put back" in capsys.readouterr().out
    assert main(["spool", "replay", clean(2).uuid]) == 1
    assert "no such dead letter" in capsys.readouterr().out
    assert main(["spool", "dead", "--json"]) == 0
    assert [each["reason"] for each in json.loads(capsys.readouterr().out)] == ["too_large"] * 3
    assert main(["spool", "replay"]) == 0
    assert main(["spool", "drain"]) == 0
    assert sorted(each.uuid for each in posthog.events) == [clean(number).uuid for number in range(4)]
    assert main(["spool", "dead"]) == 0
    assert "no dead letters" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["waiting.jsonl", "waiting.jsonl.gz"])
def test_export_and_import_carry_events_to_another_machine(
    name: str, root: Path, posthog: FakePostHog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Byte for byte; importing twice makes no event twice in PostHog."""
    left_behind(root, 7)
    file = tmp_path / name
    assert main(["spool", "export", str(file)]) == 0
    assert "7 events written" in capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(root.glob("default*/*")) == []
    there = str(tmp_path / "there")
    for _ in range(2):
        assert main(["spool", "import", str(file), "--directory", there]) == 0
    assert main(["spool", "drain", "--directory", there]) == 0
    assert len(posthog.unique_events) == 7
    assert len(posthog.events) == 14


def test_export_keeps_what_it_is_told_to_keep(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy; the spool still has all."""
    left_behind(root, 3)
    assert main(["spool", "export", "--keep", "--json", str(tmp_path / "x")]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["exported"], shown["still_in_spool"]) == (3, 3)
    assert sum(each.events for each in survey(root)) == 3


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
@pytest.mark.parametrize("words", [[], ["--keep"], ["--json"]])
def test_an_export_never_takes_the_place_of_another(
    words: list[str], name: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its events are nowhere else: exit 2, a line that says what to do, file and spool stay; an empty file is none."""
    left_behind(root, 3)
    file = tmp_path / name
    file.touch()
    assert main(["spool", "export", str(file)]) == 0
    first = file.read_bytes()
    left_behind(root, 2)
    capsys.readouterr()
    assert main(["spool", "export", *words, str(file)]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert f"{file} exists already" in said.err
    assert "choose another name, or remove it" in said.err
    assert file.read_bytes() == first
    assert sum(each.events for each in survey(root)) == 2
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_is_damaged_is_refused_whole(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut anywhere, changed anywhere, or something else: exit 2, a reason, and nothing of it is in the spool."""
    left_behind(root, 3)
    file = tmp_path / "x"
    assert main(["spool", "export", str(file)]) == 0
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    packed = gzip.compress(whole)
    cuts = [whole[:place] for place in range(0, len(whole) - 1, 29)]
    for content in (*cuts, bytes(changed), packed[:-60], b"{}", b"\x1f\x8b nonsense"):
        file.write_bytes(content)
        assert main(["spool", "import", str(file)]) == 2
        assert str(file) in capsys.readouterr().err
    assert list(root.glob("default*/*")) == []
    assert main(["spool", "import", str(tmp_path / "missing")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_help_comes_at_once_and_names_every_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    """It teaches by examples."""
    with pytest.raises(SystemExit) as ended:
        main(["spool", "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for name in ("list", "inspect", "drain", "dead", "replay", "erase", "export", "import"):
        assert f"otel-posthog spool {name}" in out


def of_person(number: int, distinct_id: str, **properties: str) -> CleanEvent:
    """Return an event of somebody."""
    made = clean(number, "e")
    body = json.loads(made.body)
    body = {**body, "distinct_id": distinct_id, "properties": {**body["properties"], **properties}}
    return CleanEvent(made.uuid, json.dumps(body).encode(), made.destination)


def test_erase_removes_what_waits_of_one_person_and_nothing_else(
    root: Path, posthog: FakePostHog, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every directory and project, in dead letters, and where an alias names them; the others keep age and order."""
    people = ["ada", "bob", "ada", "eve", "bob"]
    for key in ("phc_test", "phc_other"):
        place = spool_root(os.environ, root).folder_of(Destination(api_key=key, host=posthog.url))
        store = spool(root, destination=place)
        store.put(of_person(90, "ada"))
        store.put(of_person(91, "eve"))
        store.dead_letter(store.take(2, 10**6), "rejected")
        for number, name in enumerate(people):
            store.put(of_person(number, name))
        store.put(of_person(7, "zoe", alias="ada"))
        store.close()
    before = {each.project: each.oldest_ms for each in survey(root)}
    assert main(["spool", "erase", "--distinct-id", "ada", "--distinct-id", "nobody", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"events": 6, "dead_letters": 2, "in_use": 0}
    assert main(["spool", "erase", "--distinct-id", "ada"]) == 0
    assert "0 events and 0 dead letters removed" in capsys.readouterr().out
    assert b"ada" not in b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert {each.project: each.oldest_ms for each in survey(root)}.keys() == before.keys()
    assert all((each.oldest_ms or 0) - (before[each.project] or 0) < 1000 for each in survey(root))
    assert main(["spool", "inspect", "--json", "--limit", "0"]) == 0
    shown = [json.loads(line)["distinct_id"] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["bob", "eve", "bob"] * 2
    assert main(["spool", "drain"]) == 1
    assert [each.distinct_id for each in posthog.events] == ["bob", "eve", "bob"]
    assert main(["spool", "erase", "--all"]) == 0
    assert "3 events and 2 dead letters removed" in capsys.readouterr().out
    assert survey(root) == []


def test_erase_says_what_a_running_process_has(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That one's is not taken from it: exit 1."""
    words = [sys.executable, str(SUPPORT / "spool_worker.py"), str(root), "0", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as busy:
        assert busy.stdout is not None
        while busy.stdout.readline() != b"done\n":
            pass
        assert main(["spool", "erase", "--all"]) == 1
        busy.kill()
    assert "2 events left: a running process has them" in capsys.readouterr().out
    assert main(["spool", "erase", "--all"]) == 0
    assert survey(root) == []


@pytest.mark.parametrize("switch", ["USAGE_STATS=false", "DO_NOT_TRACK=1", "OTEL_POSTHOG_ENABLED=no"])
def test_under_an_off_switch_what_waits_stays_and_is_not_exported(
    switch: str, root: Path, posthog: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of one process and its time: one without it sends what waits."""
    left_behind(root, 2)
    name, _, value = switch.partition("=")
    with monkeypatch.context() as switched:
        switched.setenv(name, value)
        assert main(["spool", "export", str(tmp_path / "x")]) == 2
        assert main(["spool", "drain"]) == 2
    assert not (tmp_path / "x").exists()
    assert posthog.events == []
    assert main(["spool", "drain"]) == 0
    assert len(posthog.unique_events) == 2
