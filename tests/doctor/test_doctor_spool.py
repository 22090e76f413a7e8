"""What the doctor finds of the directories in which state and events are kept, on real disks, of real users."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from disks import tmpfs
from doctored import KEY, doctor, healthy
from spooled import event, spool
from strangers import DIRECTORIES, everything, needs_root

from otel_posthog.deliver.spool.dead_letters import DeadLetters
from otel_posthog.deliver.spool.files import OsFiles
from otel_posthog.deliver.spool.folder import folder_for, project_of
from otel_posthog.policy import Destination

OURS = folder_for("default", project_of(Destination(api_key=KEY)), "0a0a0a0a")
OTHERS = folder_for("default", project_of(Destination(api_key=KEY + "x")), "0a0a0a0a")


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The spool of an app in which nothing is wrong."""
    (tmp_path / "app").mkdir()
    (tmp_path / "spool").mkdir(mode=0o700)
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch, OTEL_POSTHOG_SPOOL_DIR=str(tmp_path / "spool"))
    return tmp_path / "spool"


@pytest.mark.parametrize("variable", ["OTEL_POSTHOG_STATE_DIR", "OTEL_POSTHOG_SPOOL_DIR"])
def test_a_directory_that_cannot_be_made_is_found(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variable that names another."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(variable, str(tmp_path / "file" / "below"))
    found = doctor()
    assert found.complaints == ["directory_not_writable"]
    assert variable in found["directory_not_writable"]["fix"]


@pytest.mark.parametrize("variable", ["OTEL_POSTHOG_STATE_DIR", "OTEL_POSTHOG_SPOOL_DIR"])
def test_a_disk_that_cannot_be_written_is_found(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounted read-only, which not even root gets past."""
    with tmpfs(tmp_path / "disk", 32 * 1024 * 1024) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, timeout=60)
        monkeypatch.setenv(variable, str(disk / "below"))
        found = doctor()
    assert found.complaints == ["directory_not_writable"]
    assert "ead-only" in found["directory_not_writable"]["says"]


@pytest.mark.parametrize("variable", ["OTEL_POSTHOG_STATE_DIR", "OTEL_POSTHOG_SPOOL_DIR"])
@pytest.mark.parametrize(
    ("left_bytes", "kind"), [(0, "disk_full"), (64 * 1024, "disk_full"), (2**21, "disk_nearly_full")]
)
def test_a_full_disk_is_found(
    left_bytes: int, kind: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though an empty file can still be made there; and one that is about to be."""
    with tmpfs(tmp_path / "disk", 2**22) as disk:
        monkeypatch.setenv(variable, str(disk / "here"))
        (disk / "ballast").write_bytes(bytes(2**22 - left_bytes))
        found = doctor()
        assert not (disk / "here").exists()
    assert found.complaints == [kind]
    assert variable in found[kind]["fix"]


def test_a_disk_without_another_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room on it, and no inode."""
    with tmpfs(tmp_path / "disk", 2**25) as disk:
        subprocess.run(["mount", "-o", "remount,nr_inodes=3", str(disk)], check=True, timeout=60)
        with suppress(OSError):
            for number in range(3):
                (disk / str(number)).touch()
        monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(disk / "here"))
        assert doctor().complaints == ["disk_full"]


def test_a_spool_that_a_variable_names_and_nobody_has_made_is_found(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be mistyped; where no variable names it, it is merely to come, and nothing is made of it by looking."""
    root.rmdir()
    found = doctor()
    assert (found.status, found.complaints) == (0, ["spool_directory_absent"])
    assert found["spool_directory_absent"]["says"].startswith(f"{root}, which OTEL_POSTHOG_SPOOL_DIR names, does not")
    assert "OTEL_POSTHOG_SPOOL_DIR" in found["spool_directory_absent"]["fix"]
    monkeypatch.delenv("OTEL_POSTHOG_SPOOL_DIR")
    found = doctor()
    assert found.complaints == []
    assert [each["about"] for each in found.findings if each["id"] == "directory_to_come"] == [
        "state directory", "spool directory",
    ]  # fmt: skip
    assert not (tmp_path / "state").exists()


def test_a_home_that_is_not_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's numeric user has none."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError()))
    monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", "~/spool")
    assert doctor().complaints == ["directory_not_writable"]


@pytest.mark.parametrize("place", ["folder", "process"])
@pytest.mark.parametrize("kind", DIRECTORIES)
def test_a_spool_that_is_not_this_users_is_found(kind: str, place: str, root: Path) -> None:
    """Whatever somebody else put in the place of a folder or of a process's directory; nothing of it is touched."""
    needs_root()
    store = spool(root, destination=OURS)
    store.put(event(1))
    store.close()
    path = root / OURS.name
    if place == "process":
        path = next(each for each in path.iterdir() if each.name != "dead")
    DIRECTORIES[kind](path)
    before = everything(root)
    found = doctor()
    if (kind, place) == ("a file", "folder"):
        assert "directory_foreign" not in found.ids, "a file beside the folders is nobody's spool"
    else:
        assert "directory_foreign" in found.complaints
        assert "chown" in found["directory_foreign"]["fix"]
    assert everything(root) == before


def test_state_that_is_not_this_users_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that anybody can write is none."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "installation-id").write_text("a" * 32, encoding="ascii")
    (state / "installation-id").chmod(0o666)
    found = doctor()
    assert found.complaints == ["directory_foreign"]
    assert "installation-id" in found["directory_foreign"]["says"]


def leave(root: Path, folder: object = OURS, *, age_s: float = 0.0, count: int = 2) -> None:
    """Leave events behind as a process that has ended."""
    then_ms = int((time.time() - age_s) * 1000)
    store = spool(root, destination=folder, now_ms=lambda: then_ms)  # type: ignore[arg-type]
    for number in range(count):
        store.put(event(number))
    store.close()


def test_what_waits_for_a_moment_is_no_complaint(root: Path) -> None:
    """It is on its way."""
    leave(root)
    found = doctor()
    assert found.complaints == []
    assert found["spool_waits"]["says"].startswith("2 events wait")


def test_what_ended_processes_left_long_ago_is_found(root: Path) -> None:
    """With the command that sends it."""
    leave(root, age_s=7200)
    found = doctor()
    assert found.complaints == ["spool_left"]
    assert "2 hours" in found["spool_left"]["says"]
    assert "otel-posthog spool drain" in found["spool_left"]["fix"]


def test_what_a_running_process_does_not_get_rid_of_is_found(root: Path) -> None:
    """With the command that says why."""
    then_ms = int((time.time() - 7200) * 1000)
    store = spool(root, destination=OURS, now_ms=lambda: then_ms)
    store.put(event(1))
    found = doctor()
    store.close()
    assert found.complaints == ["spool_stuck"]
    assert "--send" in found["spool_stuck"]["fix"]


def test_what_waits_for_another_project_is_found(root: Path) -> None:
    """After a change of key or host."""
    leave(root, OTHERS)
    found = doctor()
    assert found.complaints == ["spool_other_project"]
    assert "key and host of then" in found["spool_other_project"]["fix"]


def test_what_posthog_refused_is_found(root: Path) -> None:
    """With the reason."""
    leave(root, count=0)
    (root / OURS.name).mkdir(mode=0o700, parents=True, exist_ok=True)
    letters = DeadLetters(OsFiles(root), root / OURS.name, lambda: int(time.time() * 1000))
    assert letters.add([event(1), event(2)], "rejected")
    found = doctor()
    assert found.complaints == ["spool_refused"]
    assert "2 events were refused for good, mostly as rejected" in found["spool_refused"]["says"]


def test_a_container_with_a_home_that_is_read_only_is_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the spool is on a volume and the id is given: what cannot be kept is not needed."""
    with tmpfs(tmp_path / "home", 32 * 1024 * 1024) as home:
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True, timeout=60)
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.delenv("OTEL_POSTHOG_STATE_DIR")
        assert doctor().complaints == ["directory_not_writable"]
        monkeypatch.setenv("INSTANCE_ID", "shop-1")
        found = doctor()
    assert (found.status, found.complaints) == (0, [])
    assert "state_not_needed" in found.ids
    assert os.access(tmp_path, os.W_OK)
