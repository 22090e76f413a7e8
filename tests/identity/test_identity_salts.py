"""The salts of the mode `daily`: shared by an installation, thrown away with the day."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from events import DAY_NS, NOON_NS, Clock
from forked import in_child

from otel_posthog.identity import DailySalts


def names(directory: Path) -> list[str]:
    """Return the names of the files in `directory`."""
    return sorted(path.name for path in directory.iterdir())


def test_the_processes_of_an_installation_share_the_days_salt(tmp_path: Path) -> None:
    """Through a file that only their user can read."""
    one, other = (DailySalts(tmp_path, Clock()).at(NOON_NS) for _ in range(2))
    assert one == other
    assert one is not None
    assert len(one[1]) == 32
    assert names(tmp_path) == ["daily-salt-20260102"]
    assert (tmp_path / "daily-salt-20260102").stat().st_mode & 0o777 == 0o600


def test_the_salt_is_thrown_away_with_its_day(tmp_path: Path) -> None:
    """On a new day there is a new one, the file of the old is gone, and nobody can bring its ids back."""
    clock = Clock()
    salts = DailySalts(tmp_path, clock)
    old = salts.at(NOON_NS)
    clock.pass_by(days=1)
    new = salts.at(NOON_NS + DAY_NS)
    assert old is not None
    assert new is not None
    assert old[1] != new[1]
    assert names(tmp_path) == ["daily-salt-20260103"]
    assert salts.at(NOON_NS) is None
    assert DailySalts(tmp_path, clock).at(NOON_NS) is None


def test_an_event_of_just_before_midnight_is_in_time_just_after(tmp_path: Path) -> None:
    """For five minutes the process that has the old salt keeps it in memory; the file goes at once."""
    clock = Clock()
    clock.pass_by(hours=11, minutes=59)
    last_ns = NOON_NS + 12 * 3600 * 10**9 - 1
    salts = DailySalts(tmp_path, clock)
    before = salts.at(last_ns)
    clock.pass_by(minutes=2)
    assert salts.at(last_ns + 1) != before
    assert salts.at(last_ns) == before
    assert names(tmp_path) == ["daily-salt-20260103"]
    clock.pass_by(minutes=4, seconds=1)
    assert salts.at(last_ns) is None


@pytest.mark.parametrize("time_ns", [NOON_NS - DAY_NS, NOON_NS + DAY_NS, 0, -1, 10**30])
def test_no_salt_is_made_for_another_day(time_ns: int, tmp_path: Path) -> None:
    """A replay of a past day, a clock that is ahead, and what is no date get none."""
    assert DailySalts(tmp_path / "state", Clock()).at(time_ns) is None
    assert not (tmp_path / "state").exists()


def test_where_nothing_can_be_written_the_salt_lives_in_memory(tmp_path: Path) -> None:
    """It is the same for the day, and another process has its own."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="ascii")
    salts = DailySalts(blocked / "below", Clock())
    found = salts.at(NOON_NS)
    assert found is not None
    assert found == salts.at(NOON_NS + 1)
    assert found != DailySalts(blocked / "below", Clock()).at(NOON_NS)
    assert in_child(lambda: salts.at(NOON_NS) == found)


@pytest.mark.parametrize("text", ["", "not hex", "ab", "é", "zz" * 32])
def test_a_file_that_is_no_salt_is_not_used(text: str, tmp_path: Path) -> None:
    """A salt that somebody could know is none."""
    (tmp_path / "daily-salt-20260102").write_text(text, encoding="utf-8")
    found = DailySalts(tmp_path, Clock()).at(NOON_NS)
    assert found is not None
    assert len(found[1]) == 32


def test_salts_of_past_days_go_at_the_next_start_whatever_the_mode(tmp_path: Path) -> None:
    """A program that did not run at midnight throws them away when it does; today's and other files stay."""
    for name in ("daily-salt-20251231", "daily-salt-20260101", "daily-salt-20260102", "installation-id"):
        (tmp_path / name).write_text("x", encoding="ascii")
    DailySalts(tmp_path, Clock()).clean()
    assert names(tmp_path) == ["daily-salt-20260102", "installation-id"]
    DailySalts(tmp_path / "none", Clock()).clean()


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """Eight first events of a day at the same time have one salt."""
    code = (
        "import sys, time; from pathlib import Path; from otel_posthog.identity import DailySalts; "
        "found = DailySalts(Path(sys.argv[1])).at(time.time_ns()); print(found and found[1].hex()[:8])"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    assert len({process.communicate(timeout=120)[0] for process in started}) == 1
    assert len(names(tmp_path)) == 1
