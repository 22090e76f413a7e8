"""Where an installation keeps its state: one directory for each, for its user alone."""

from __future__ import annotations

import os
import pwd
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from strangers import FILES, STRANGER, everything, needs_root

from otel_posthog.deliver import SpoolRoot
from otel_posthog.deliver.delivery import open_store
from otel_posthog.deliver.store import MemoryStore
from otel_posthog.health import Health
from otel_posthog.identity import DailySalts, load_installation
from otel_posthog.policy import DeliveryPolicy, Destination
from otel_posthog.policy.collection import CollectionChoice
from otel_posthog.state import (
    installation_key,
    make_directory,
    read_or_create,
    spool_directory,
    state_directory,
    write_text,
)


def test_a_given_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    """Whoever names it decides who shares it."""
    assert state_directory({"OTEL_POSTHOG_STATE_DIR": f" {tmp_path} "}) == tmp_path


def test_outside_of_a_virtual_environment_the_services_name_tells_installations_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Several apps share one interpreter there; inside of one the environment alone decides."""
    names = [
        {"OTEL_SERVICE_NAME": "a"},
        {"OTEL_RESOURCE_ATTRIBUTES": "k=v, service.name = b ,x=y"},
        {"OTEL_SERVICE_NAME": "a", "OTEL_RESOURCE_ATTRIBUTES": "service.name=b"},
        {},
    ]
    monkeypatch.setattr(sys, "prefix", "/usr")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    keys = [installation_key(environ) for environ in names]
    assert keys[0] == keys[2]
    assert len(set(keys)) == 3
    monkeypatch.setattr(sys, "prefix", "/srv/app/venv")
    assert len({installation_key(environ) for environ in names}) == 1
    assert installation_key({}) not in keys


def test_a_file_is_created_once_and_for_its_user_alone(tmp_path: Path) -> None:
    """Whoever comes later gets what is there; no draft is left, whatever the process ids are."""
    path = tmp_path / "state" / "x"
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / f"x.{os.getpid()}").write_text("left by another host", encoding="ascii")
    assert [read_or_create(path, lambda text=text: text) for text in ("one", "two")] == ["one", "one"]  # type: ignore[misc]
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of some network volumes: the file is written in place."""

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    assert [read_or_create(tmp_path / "x", lambda: "one") for _ in range(2)] == ["one", "one"]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_kept_is_answered_and_not_raised(tmp_path: Path) -> None:
    """No directory, something else in the file's place, and a home that is none."""
    (tmp_path / "file").write_text("", encoding="ascii")
    (tmp_path / "directory" / "inside").mkdir(parents=True)
    assert read_or_create(tmp_path / "file" / "x", lambda: "one") is None
    assert read_or_create(tmp_path / "directory", lambda: "one") is None
    assert not write_text(tmp_path / "file" / "x", "one")
    assert not write_text(tmp_path / "directory", "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "file"]
    assert not make_directory(Path("~") / "state")
    assert write_text(tmp_path / "new" / "x", "one")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", sorted(set(FILES) - {"a hard link"}))
def test_a_state_file_that_is_not_ours_is_neither_read_nor_followed_nor_removed(kind: str, tmp_path: Path) -> None:
    """The directory may be shared: an id, a salt or a choice that somebody else can have written counts for nothing."""
    if kind == "another user's":
        needs_root()
    state = tmp_path / "shared" / "state"
    environ = {"OTEL_POSTHOG_STATE_DIR": str(state)}
    first = load_installation(environ)
    old, today = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 1, 2, tzinfo=timezone.utc)
    salt = DailySalts(state, lambda: old).at(int(old.timestamp() * 1e9))
    choice = CollectionChoice(state)
    assert choice.choose(enabled=False)
    state.chmod(0o707)
    for path in tuple(state.iterdir()):
        FILES[kind](path)
    before = everything(tmp_path)
    again = load_installation(environ)
    assert again.distinct_id != first.distinct_id
    assert not again.is_kept
    assert DailySalts(state, lambda: old).at(int(old.timestamp() * 1e9)) != salt
    DailySalts(state, lambda: today).expire()
    # What might be an opt-out is one, and another user's is not this program's to undo.
    assert CollectionChoice(state).is_off()
    assert not choice.choose(enabled=True)
    assert everything(tmp_path) == before


def test_what_root_keeps_in_another_users_directory_is_that_users(tmp_path: Path) -> None:
    """`sudo otel-posthog doctor`: the app finds its id afterwards."""
    needs_root()
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, STRANGER, STRANGER)
    first = load_installation({"OTEL_POSTHOG_STATE_DIR": str(state)})
    assert [path.stat().st_uid for path in state.iterdir()] == [STRANGER]
    assert load_installation({"OTEL_POSTHOG_STATE_DIR": str(state)}) == first
    # As an earlier release left it.
    for path in state.iterdir():
        os.chown(path, 0, 0)
    assert load_installation({"OTEL_POSTHOG_STATE_DIR": str(state)}) == first


@pytest.mark.parametrize("given", [{}, {"OTEL_POSTHOG_STATE_DIR": "~/state"}, {"OTEL_POSTHOG_SPOOL_DIR": "~/spool"}])
def test_without_a_home_no_folder_called_tilde_appears(
    given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A container's numeric user has no HOME and no passwd entry: nothing is kept, and a line says so."""

    def nobody(uid: int) -> object:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_STATE_HOME", "OTEL_POSTHOG_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert not load_installation(given).is_kept
    assert not CollectionChoice(state_directory(given)).choose(enabled=False)
    health = Health()
    assert isinstance(
        open_store(Destination(), DeliveryPolicy(), health, SpoolRoot(spool_directory(given))), MemoryStore
    )
    assert "there is no home directory that ~ could stand for" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_tilde_that_no_shell_has_replaced_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `.env` file and a container's settings have it as it was written."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert state_directory({"OTEL_POSTHOG_STATE_DIR": "~/state"}) == tmp_path / "home" / "state"
    assert spool_directory({"OTEL_POSTHOG_SPOOL_DIR": " ~/spool "}) == tmp_path / "home" / "spool"
