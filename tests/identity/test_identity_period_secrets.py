"""The salts of the mode `daily`: shared by an installation, thrown away with the day."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from events import DAY_NS, NOON_NS, Clock
from forked import in_child
from telemetry import NOWHERE

from otel_posthog import worker
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import DailySalts, period_secrets
from otel_posthog.model import Signal, Source
from otel_posthog.policy import DeliveryPolicy, Destination, Durability, IdentityMode, InstallationRotation, Policy
from otel_posthog.setup.runtime import make_pipeline
from otel_posthog.setup.settings import read_settings
from otel_posthog.values import unix_ns


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
    made = DailySalts(tmp_path, clock)
    old = made.at(NOON_NS)
    clock.pass_by(days=1)
    new = made.at(NOON_NS + DAY_NS)
    assert old is not None
    assert new is not None
    assert old[1] != new[1]
    assert names(tmp_path) == ["daily-salt-20260103"]
    assert made.at(NOON_NS) is None
    assert DailySalts(tmp_path, clock).at(NOON_NS) is None


def test_an_event_of_just_before_midnight_is_in_time_just_after(tmp_path: Path) -> None:
    """For five minutes, also in a process that starts then; after that the salt is on no disk and in no memory."""
    clock = Clock()
    clock.pass_by(hours=11, minutes=59)
    last_ns = NOON_NS + 12 * 3600 * 10**9 - 1
    made = DailySalts(tmp_path, clock)
    before = made.at(last_ns)
    clock.pass_by(minutes=2)
    assert made.at(last_ns + 1) != before
    assert made.at(last_ns) == before
    started_late = DailySalts(tmp_path, clock)
    started_late.expire()
    assert started_late.at(last_ns) == before
    clock.pass_by(minutes=3, seconds=59)
    assert names(tmp_path) == ["daily-salt-20260102", "daily-salt-20260103"]
    clock.pass_by(seconds=1)
    started_late.expire()
    assert names(tmp_path) == ["daily-salt-20260103"]
    assert made.at(last_ns) is None
    assert started_late.at(last_ns) is None


@pytest.mark.parametrize("time_ns", [NOON_NS - DAY_NS, NOON_NS + DAY_NS, 0, -1, 10**30])
def test_no_salt_is_made_for_another_day(time_ns: int, tmp_path: Path) -> None:
    """A replay of a past day, a clock that is ahead, and what is no date get none."""
    assert DailySalts(tmp_path / "state", Clock()).at(time_ns) is None
    assert not (tmp_path / "state").exists()


def test_where_nothing_can_be_written_the_salt_lives_in_memory(tmp_path: Path) -> None:
    """It is the same for the day, and another process has its own."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="ascii")
    made = DailySalts(blocked / "below", Clock())
    found = made.at(NOON_NS)
    assert found is not None
    assert found == made.at(NOON_NS + 1)
    assert found != DailySalts(blocked / "below", Clock()).at(NOON_NS)
    assert in_child(lambda: made.at(NOON_NS) == found)


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
    DailySalts(tmp_path, Clock()).expire()
    assert names(tmp_path) == ["daily-salt-20260102", "installation-id"]
    DailySalts(tmp_path / "none", Clock()).expire()


def test_the_secrets_of_a_period_go_by_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has sent an event destroys its salt when the day is over, without a further event."""
    monkeypatch.setattr(worker, "_IDLE_S", 0.01)
    policy = Policy(
        identity=IdentityMode.DAILY,
        installation_rotation=InstallationRotation.WEEKLY,
        destinations=(Destination(api_key="phc_test", host=NOWHERE),),
        delivery=DeliveryPolicy(durability=Durability.MEMORY),
    )
    environ = {"OTEL_POSTHOG_STATE_DIR": str(tmp_path)}
    health, moment = Health(), Clock(datetime.now(timezone.utc))
    monkeypatch.setattr(period_secrets, "datetime", SimpleNamespace(now=lambda _: moment.now))
    pipeline = make_pipeline(read_settings(environ, policy=policy), health, Guard(health), environ)
    for attributes in ({"analytics.user.id": "u-4711"}, {}):
        pipeline.submit(Signal(Source.LOG, "e", attributes, unix_ns(moment.now)))
    kept = ("daily-salt-", "installation-weekly-")
    ticked = threading.Event()
    pipeline.on_tick(ticked.set)
    try:
        pipeline.flush(1)
        assert sum(name.startswith(kept) for name in names(tmp_path)) == 2
        moment.pass_by(days=8)
        for _ in range(2):  # the first may have begun before
            ticked.clear()
            assert ticked.wait(30)
        assert [name for name in names(tmp_path) if name.startswith(kept)] == []
    finally:
        pipeline.shutdown(0)


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
