"""The installation's id: stable, hashed, agreed on by processes that start at once."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

import pytest
from events import Clock

from otel_posthog.identity import RotatingIds, load_installation
from otel_posthog.policy import InstallationRotation
from otel_posthog.values import unix_ns

ROTATIONS = [each for each in InstallationRotation if each is not InstallationRotation.NEVER]


def test_the_id_is_generated_once_and_kept(tmp_path: Path) -> None:
    """A second start is the same installation."""
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path / "new")}
    first, second = load_installation(environ), load_installation(environ)
    assert first.distinct_id == second.distinct_id
    assert first.is_kept
    assert (tmp_path / "new" / "installation-id").read_text(encoding="ascii") not in first.distinct_id


def test_instance_id_is_hashed(tmp_path: Path) -> None:
    """A given id decides, wherever the state is, and does not leave as it is."""
    one = load_installation({"INSTANCE_ID": "acme-prod", "OTEL_POSTHOG_STATE_DIR": str(tmp_path / "a")})
    other = load_installation({"INSTANCE_ID": "acme-prod", "OTEL_POSTHOG_STATE_DIR": str(tmp_path / "b")})
    assert one.distinct_id == other.distinct_id
    assert "acme" not in one.distinct_id


def test_without_a_writable_directory_the_id_lives_with_the_process(tmp_path: Path) -> None:
    """A read-only host still starts; the installation says that it is not kept."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="ascii")
    installation = load_installation({"OTEL_POSTHOG_STATE_DIR": str(blocked / "below")})
    assert not installation.is_kept
    assert not installation.claim_notice()


def test_the_notice_is_claimed_once(tmp_path: Path) -> None:
    """Of all starts, one shows the notice."""
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path)}
    assert [load_installation(environ).claim_notice() for _ in range(3)] == [True, False, False]


def test_an_id_that_another_process_stored_first_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the store another process may come first: its id is the installation's."""
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path)}
    real = uuid.uuid4

    def overtaken() -> uuid.UUID:
        (tmp_path / "installation-id").write_text("theirs", encoding="ascii")
        return real()

    monkeypatch.setattr(uuid, "uuid4", overtaken)
    late = load_installation(environ)
    monkeypatch.setattr(uuid, "uuid4", real)
    assert (tmp_path / "installation-id").read_text(encoding="ascii") == "theirs"
    assert late.distinct_id == load_installation(environ).distinct_id
    assert [path.name for path in tmp_path.iterdir()] == ["installation-id"]


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """Eight first starts at the same time are one installation."""
    code = "import os; from otel_posthog import identity; print(identity.load_installation(os.environ).distinct_id)"
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path), "PATH": ""}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    assert len({process.communicate(timeout=120)[0] for process in started}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["installation-id"]


@pytest.mark.parametrize(
    ("rotation", "last", "first"),
    [
        ("weekly", "2026-01-04T23:59:59", "2026-01-05T00:00:00"),
        ("weekly", "2027-01-03T23:59:59", "2027-01-04T00:00:00"),  # ISO weeks are of one year only
        ("monthly", "2026-02-28T23:59:59", "2026-03-01T00:00:00"),
        ("yearly", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
    ],
)
def test_a_rotating_id_is_another_from_the_first_second_of_a_period_on(
    rotation: str, last: str, first: str, tmp_path: Path
) -> None:
    """By the event's time in UTC; what two processes of the installation say is the same."""
    before, after = (datetime.fromisoformat(each).replace(tzinfo=timezone.utc) for each in (last, first))
    one, other = (RotatingIds(tmp_path, Clock(after)) for _ in range(2))
    kind = InstallationRotation(rotation)
    ids = [[each.at(kind, unix_ns(moment)) for moment in (before, after)] for each in (one, other)]
    assert ids[0] == ids[1]
    assert ids[0][0] != ids[0][1]
    assert None not in ids[0]


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_the_secret_of_a_rotating_id_is_destroyed_with_its_period(
    rotation: InstallationRotation, tmp_path: Path
) -> None:
    """It is on no disk and in no memory, so that nobody can tell which installation an old id was."""
    clock = Clock()
    ids = RotatingIds(tmp_path, clock)
    then = unix_ns(clock.now)
    assert ids.at(rotation, then) is not None
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    clock.pass_by(days=366)
    ids.expire()
    assert list(tmp_path.iterdir()) == []
    assert ids.at(rotation, then) is None
    assert RotatingIds(tmp_path, clock).at(rotation, then) is None


def test_another_rotation_leaves_the_other_periods_alone(tmp_path: Path) -> None:
    """Two apps of one environment with different policies do not take each other's id away."""
    ids, now = RotatingIds(tmp_path, Clock()), unix_ns(Clock().now)
    before = {rotation: ids.at(rotation, now) for rotation in ROTATIONS}
    assert len(set(before.values())) == len(ROTATIONS)
    again = RotatingIds(tmp_path, Clock())
    again.expire()
    assert {rotation: again.at(rotation, now) for rotation in ROTATIONS} == before
