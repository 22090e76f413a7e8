"""The choice made at run time: kept, shared, and never forgotten by accident."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from otel_posthog.policy import CollectionChoice, collection_choice
from otel_posthog.policy.collection import LOOK_INTERVAL_S
from otel_posthog.privacy import should_collect


class Monotonic:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_nobody_has_chosen_at_first(tmp_path: Path) -> None:
    """Collection is on, and nothing is written for that."""
    assert not CollectionChoice(tmp_path / "state").is_off()
    assert not (tmp_path / "state").exists()


def test_a_choice_is_kept_and_can_be_undone(tmp_path: Path) -> None:
    """The next start knows; the file is its user's alone."""
    assert CollectionChoice(tmp_path / "state").choose(enabled=False)
    assert CollectionChoice(tmp_path / "state").is_off()
    (file,) = (tmp_path / "state").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert CollectionChoice(tmp_path / "state").choose(enabled=True)
    assert not CollectionChoice(tmp_path / "state").is_off()
    assert list((tmp_path / "state").iterdir()) == []


def test_another_process_sees_a_choice_within_a_second(tmp_path: Path) -> None:
    """In both directions; whoever chose sees it at once."""
    clock = Monotonic()
    one, other = CollectionChoice(tmp_path, clock), CollectionChoice(tmp_path, clock)
    for is_off in (True, False, True):
        assert other.is_off() is not is_off
        one.choose(enabled=not is_off)
        assert one.is_off() is is_off
        assert other.is_off() is not is_off
        clock.now += LOOK_INTERVAL_S
        assert other.is_off() is is_off


def test_where_nothing_can_be_kept_it_holds_in_this_process(tmp_path: Path) -> None:
    """And whoever chose is told so."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="ascii")
    choice = CollectionChoice(blocked / "below")
    assert not choice.choose(enabled=False)
    assert choice.is_off()
    assert not CollectionChoice(blocked / "below").is_off()
    assert choice.choose(enabled=True)
    assert not choice.is_off()


def test_an_opt_out_that_cannot_be_taken_back_stays(tmp_path: Path) -> None:
    """Whatever stands in its place on the disk: in doubt nobody agreed."""
    (tmp_path / "opted-out").mkdir()
    (tmp_path / "opted-out" / "x").write_text("", encoding="ascii")
    choice = CollectionChoice(tmp_path)
    assert not choice.choose(enabled=True)
    assert choice.is_off()


def test_a_state_that_cannot_be_looked_at_is_an_opt_out(tmp_path: Path) -> None:
    """A name that is too long stands for any error of the disk but `not found`."""
    assert CollectionChoice(tmp_path / ("x" * 300)).is_off()


def test_should_collect_heeds_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an app asks before it goes to any trouble."""
    monkeypatch.setenv("OTEL_POSTHOG_ENABLED", "preview")
    assert should_collect()
    choice = collection_choice({"OTEL_POSTHOG_STATE_DIR": os.environ["OTEL_POSTHOG_STATE_DIR"]})
    choice.choose(enabled=False)
    assert not should_collect()
    choice.choose(enabled=True)
    assert should_collect()
