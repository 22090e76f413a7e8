"""The installation's id: stable, hashed, agreed on by processes that start at once."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from otel_posthog.identity import load


def test_the_id_is_generated_once_and_kept(tmp_path: Path) -> None:
    """A second start is the same installation."""
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path / "new")}
    first, second = load(environ), load(environ)
    assert first.distinct_id == second.distinct_id
    assert first.is_kept
    assert (tmp_path / "new" / "installation-id").read_text(encoding="ascii") not in first.distinct_id


def test_instance_id_is_hashed(tmp_path: Path) -> None:
    """A given id decides, wherever the state is, and does not leave as it is."""
    one = load({"INSTANCE_ID": "acme-prod", "OTEL_POSTHOG_STATE_DIR": str(tmp_path / "a")})
    other = load({"INSTANCE_ID": "acme-prod", "OTEL_POSTHOG_STATE_DIR": str(tmp_path / "b")})
    assert one.distinct_id == other.distinct_id
    assert "acme" not in one.distinct_id


def test_without_a_writable_directory_the_id_lives_with_the_process(tmp_path: Path) -> None:
    """A read-only host still starts; the installation says that it is not kept."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="ascii")
    installation = load({"OTEL_POSTHOG_STATE_DIR": str(blocked / "below")})
    assert not installation.is_kept
    assert not installation.claim_notice()


def test_the_notice_is_claimed_once(tmp_path: Path) -> None:
    """Of all starts, one shows the notice."""
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path)}
    assert [load(environ).claim_notice() for _ in range(3)] == [True, False, False]


def test_an_id_that_another_process_stored_first_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the store another process may come first: its id is the installation's."""
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path)}
    real = uuid.uuid4

    def overtaken() -> uuid.UUID:
        (tmp_path / "installation-id").write_text("theirs", encoding="ascii")
        return real()

    monkeypatch.setattr(uuid, "uuid4", overtaken)
    late = load(environ)
    monkeypatch.setattr(uuid, "uuid4", real)
    assert (tmp_path / "installation-id").read_text(encoding="ascii") == "theirs"
    assert late.distinct_id == load(environ).distinct_id
    assert [path.name for path in tmp_path.iterdir()] == ["installation-id"]


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """Eight first starts at the same time are one installation."""
    code = "import os; from otel_posthog.identity import load; print(load(os.environ).distinct_id)"
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path), "PATH": ""}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    assert len({process.communicate(timeout=120)[0] for process in started}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["installation-id"]
