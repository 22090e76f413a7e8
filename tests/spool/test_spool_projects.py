"""What waits is bound to the key and host that it was collected for, and to the installation that collected it."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest
from clean import clean
from hypothesis import given
from hypothesis import strategies as st
from spooled import drained, event, spool

from otel_posthog import set_collection
from otel_posthog.apps.cli import main
from otel_posthog.apps.spool.survey import survey
from otel_posthog.deliver import Delivery, SpoolRoot, spool_root
from otel_posthog.deliver.delivery import open_store
from otel_posthog.deliver.spool.folder import folder_for, parse_folder, project_of
from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, Health
from otel_posthog.policy import DeliveryPolicy, Destination, Durability, Policy
from otel_posthog.testing import FakePostHog

A = Destination(api_key="phc_a", host="http://127.0.0.1:9")
OTHERS = {
    "another key": Destination(api_key="phc_b", host=A.host),
    "another host": Destination(api_key=A.api_key, host="http://127.0.0.2:9"),
    "another of both": Destination(api_key="phc_b", host="http://127.0.0.2:9"),
    "no key": Destination(host=A.host),
}


def leave(root: SpoolRoot, destination: Destination, *numbers: int, dead: int = 0) -> None:
    """Have a process that ended leave events, the first of them as dead letters."""
    store = spool(root.path, destination=root.folder_of(destination))
    for number in numbers:
        store.put(clean(number, "ticket_created", destination=destination.name))
    if dead:
        store.dead_letter(store.take(dead, 10**6), "rejected")
    store.close()


def numbers(root: SpoolRoot, destination: Destination) -> list[int]:
    """Return what a process with this destination finds to send."""
    return sorted(
        int(each.uuid[-12:], 16) for each in drained(spool(root.path, destination=root.folder_of(destination)))
    )


def delivery(root: SpoolRoot, health: Health, *destinations: Destination, **limits: object) -> Delivery:
    """Return a delivery to these."""
    policy = Policy(destinations=destinations, delivery=DeliveryPolicy(**limits))  # type: ignore[arg-type]
    return Delivery(policy, health, Guard(health), spool=root)


@pytest.mark.parametrize("other", sorted(OTHERS))
def test_two_products_that_share_a_spool_send_only_their_own(other: str, tmp_path: Path) -> None:
    """The same name of a destination is no reason to send what waits for another project."""
    root = SpoolRoot(tmp_path, "0a0a0a0a")
    leave(root, A, 1, 2)
    leave(root, OTHERS[other], 3)
    assert numbers(root, OTHERS[other]) == [3]
    assert numbers(root, A) == [1, 2]


def test_the_name_of_a_destination_and_the_installation_do_not_matter_for_who_sends(tmp_path: Path) -> None:
    """A container that starts anew, with a state directory of its own, and a destination that was renamed."""
    leave(SpoolRoot(tmp_path, "0a0a0a0a"), A, 1)
    leave(SpoolRoot(tmp_path), A, 2)
    renamed = Destination("main", A.api_key, f"{A.host}/")
    assert numbers(SpoolRoot(tmp_path, "0b0b0b0b"), renamed) == [1, 2]
    # Folders in which nothing is left go, but for the one that is used.
    assert [path.name.partition(".")[0] for path in tmp_path.iterdir()] == ["main"]


def test_two_destinations_of_one_project_send_what_was_left_once(tmp_path: Path) -> None:
    """Each has a thread, and a lock of the system does not tell threads apart."""
    root = SpoolRoot(tmp_path, "0a0a0a0a")
    for number in range(30):
        leave(root, A, 2 * number, 2 * number + 1)
    found: list[int] = []
    together = threading.Barrier(4)

    def drain(name: str) -> None:
        together.wait()
        found.extend(numbers(root, Destination(name, A.api_key, A.host)))

    threads = [threading.Thread(target=drain, args=(name,)) for name in ("a", "b", "c", "default")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == list(range(60))


def test_dead_letters_of_a_destination_that_is_gone_expire(tmp_path: Path) -> None:
    """They are a person's to look at for `max_spool_age_s`, whoever's they were; then their folder goes as well."""
    root = SpoolRoot(tmp_path, "0a0a0a0a")
    leave(root, Destination("gone", "phc_gone", A.host), 1, dead=1)
    week_ms = 7 * 24 * 3600 * 1000
    for later_ms, is_there in ((week_ms - 60_000, True), (week_ms + 60_000, False)):
        now_ms = time.time_ns() // 1_000_000 + later_ms
        spool(tmp_path, destination=root.folder_of(A), now_ms=lambda now_ms=now_ms: now_ms).close()
        assert bool(list(tmp_path.glob("gone.*"))) is is_there


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_key_and_host_are_told_apart_and_not_shown(name: str, key: str, host: str) -> None:
    """Every pair has a hash of its own; folders are plain names that can be read back."""
    destination = Destination(name, key, host)
    project = project_of(destination)
    assert project == project_of(Destination("other", key, host))
    assert project != project_of(Destination(name, key + "x", host))
    assert project != project_of(Destination(name, key, host + "x"))
    folder = folder_for(name, project, "0a0a0a0a")
    found = parse_folder(folder.name)
    assert found is not None
    assert (found.name, found.project, found.installation) == (folder.name, project, "0a0a0a0a")
    assert folder.name.isascii()
    assert "/" not in folder.name


def test_what_nobody_has_the_key_for_stays_and_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A changed key or host: at each start, with how many events and where; they expire as all that waits."""
    root = SpoolRoot(tmp_path, "0a0a0a0a")
    leave(root, A, 1, 2)
    store = open_store(OTHERS["another key"], DeliveryPolicy(), Health(), root)
    assert len(store) == 0
    assert f"2 product events wait in {tmp_path / root.folder_of(A).name} for another project or host" in caplog.text
    store.close()
    assert numbers(root, A) == [1, 2]


def test_one_that_waits_is_told_as_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The line says it as people do."""
    root = SpoolRoot(tmp_path, "0a0a0a0a")
    leave(root, A, 1)
    open_store(OTHERS["another key"], DeliveryPolicy(), Health(), root).close()
    assert f"1 product event waits in {tmp_path / root.folder_of(A).name} for another project or host" in caplog.text


def test_what_an_earlier_release_kept_is_told_and_sent_when_asked_to(
    fake_posthog: FakePostHog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It did not note for which project: neither lost nor guessed."""
    old = spool(tmp_path / "spool")
    for number in range(3):
        old.put(clean(number, "ticket_created"))
    old.dead_letter(old.take(1, 10**6), "rejected")
    old.close()
    monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    store = open_store(Destination(api_key="phc_test"), DeliveryPolicy(), Health(), spool_root(os.environ))
    store.close()
    assert "2 product events wait in" in caplog.text
    assert "otel-posthog spool drain --unbound" in caplog.text
    assert main(["spool", "drain"]) == 1
    assert "2 events left for default: an earlier release did not note for which project" in capsys.readouterr().out
    assert fake_posthog.events == []
    assert main(["spool", "drain", "--unbound"]) == 0
    assert main(["spool", "replay"]) == 0
    assert main(["spool", "drain"]) == 0
    assert len(fake_posthog.unique_events) == 3


def test_drain_says_whose_key_is_missing(
    fake_posthog: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And sends none of it; an export and import keep the project, whatever the key there is."""
    monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    leave(spool_root(os.environ), A, 1)
    assert main(["spool", "drain"]) == 1
    assert "1 event left for default: of a project and host whose key is not here" in capsys.readouterr().out
    assert main(["spool", "export", str(tmp_path / "file")]) == 0
    assert main(["spool", "import", str(tmp_path / "file")]) == 0
    assert main(["spool", "drain"]) == 1
    (row,) = survey(tmp_path / "spool")
    assert (row.project, row.events) == (project_of(A), 1)
    # A person may say where it belongs.
    assert main(["spool", "export", str(tmp_path / "second")]) == 0
    assert main(["spool", "import", "--destination", "default", str(tmp_path / "second")]) == 0
    assert main(["spool", "drain"]) == 0
    assert len(fake_posthog.unique_events) == 1
    assert main(["spool", "import", "--destination", "other", str(tmp_path / "file")]) == 2


def test_an_opt_out_drops_all_that_is_its_installations_and_nothing_of_another(tmp_path: Path) -> None:
    """Dead letters, destinations that are gone, keys and hosts of before, what an earlier release kept: counted."""
    mine, other = SpoolRoot(tmp_path, "0a0a0a0a"), SpoolRoot(tmp_path, "0b0b0b0b")
    gone = Destination("gone", "phc_gone", A.host)
    leave(mine, A, 1, 2, dead=1)
    leave(mine, gone, 3, 4, dead=1)
    leave(mine, OTHERS["another host"], 5)
    old = spool(tmp_path)
    old.put(event(6))
    old.close()
    leave(other, A, 11, 12, dead=1)
    leave(other, gone, 13)
    health = Health()
    made = delivery(mine, health, A)
    assert made.discard("opted_out") == 4
    assert health.snapshot()[DROPPED, "opted_out"] == 4
    made.shutdown(0)
    left = {path.parent.name for path in tmp_path.rglob("*") if path.suffix in {".seg", ".dead"}}
    assert left == {path.name for path in tmp_path.glob("*.0b0b0b0b/*")}
    assert numbers(other, A) == [12]
    assert numbers(other, gone) == [13]


def test_an_opt_out_drops_what_waits_also_where_nothing_is_written_any_more(tmp_path: Path) -> None:
    """A policy that says `memory` now leaves no events of before on the disk."""
    root = SpoolRoot(tmp_path, "0a0a0a0a")
    leave(root, A, 1)
    made = delivery(root, Health(), A, durability=Durability.MEMORY)
    assert made.discard("opted_out") == 1
    assert survey(tmp_path) == []


@pytest.mark.parametrize("is_alone", [True, False])
def test_opting_out_without_a_set_up_drops_what_waits(
    is_alone: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a settings page's own process: nothing is exported, sent or kept, and opting in again sends none of it."""
    if not is_alone:
        monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(tmp_path / "shared"))
    root = spool_root(os.environ)
    assert root.is_alone is is_alone
    leave(root, A, 1, 2, dead=1)
    leave(SpoolRoot(root.path, "0b0b0b0b"), A, 3)
    assert set_collection(False)
    assert sum(each.events for each in survey(root.path)) == (0 if is_alone else 1)
    for words in (["drain"], ["replay"], ["export", str(tmp_path / "x")], ["import", str(tmp_path / "x")]):
        assert main(["spool", *words]) == 2
        assert "switched off at run time" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    assert set_collection(True)
    assert main(["spool", "dead", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_commands_drop_what_waits_where_no_process_has_done_so_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody opted out in a way that this package did not see: by hand, or from another language."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    leave(spool_root(os.environ), A, 1, 2)
    (tmp_path / "state" / "opted-out").write_text("")
    assert main(["spool", "export", str(tmp_path / "x")]) == 2
    assert "what waited is dropped (2 events)" in capsys.readouterr().err
    assert survey(spool_root(os.environ).path) == []
