"""Counting, and the line a minute."""

from __future__ import annotations

import pytest

from otel_posthog.errors import Guard
from otel_posthog.health import DELIVERED, DROPPED, MAX_REASONS, REPAIRED, WANTED_DROPS, Health


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_one_line_a_minute_tells_what_was_dropped_and_why(caplog: pytest.LogCaptureFixture) -> None:
    """Only what is new since the last line, never more than one line, none where nothing was lost."""
    clock = Clock()
    health = Health(clock)
    health.count(DELIVERED, "", 100)
    health.count(DROPPED, "consent", 3)
    health.count(DROPPED, "too_large")
    health.fault("translate", "KeyError")
    health.report_if_due()
    assert caplog.messages == []
    clock.now = 60
    health.report_if_due()
    health.report_if_due()
    told = "1 dropped (too_large 1); 1 internal errors (translate:KeyError 1)"
    assert caplog.messages == [f"product events since the last report: {told}"]
    clock.now = 120
    health.report_if_due()
    assert len(caplog.messages) == 1
    health.count(DROPPED, "name_invalid")
    clock.now = 180
    health.report_if_due()
    assert caplog.messages[1:] == ["product events since the last report: 1 dropped (name_invalid 1)"]


def test_what_was_decided_is_told_at_info_and_what_is_lost_at_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A mode, a policy or a person that wants an event dropped is no reason to warn; everything else is."""
    caplog.set_level("INFO", "otel_posthog")
    health = Health()
    for reason in (*sorted(WANTED_DROPS), "name_invalid", "person_unknown"):
        health.count(DROPPED, reason)
    health.report()
    health.report()
    assert [(each.levelname, each.getMessage().partition(": ")[2]) for each in caplog.records] == [
        ("INFO", "6 dropped (consent 1, derive_cap 1, derive_once 1, exceptions_off 1, opted_out 1, person_event 1)"),
        ("WARNING", "2 dropped (name_invalid 1, person_unknown 1)"),
    ]


def test_what_was_repaired_is_told_once_for_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    """A user id that is too long goes on and on: one line says so, another one when something else comes up."""
    health = Health()
    health.count(REPAIRED, "distinct_id_invalid", 3)
    health.report()
    health.count(REPAIRED, "distinct_id_invalid")
    health.report()
    health.count(REPAIRED, "uuid_invalid")
    health.count(REPAIRED, "distinct_id_invalid")
    health.report()
    said = "product events are sent, but not as they were given (logged once): "
    assert caplog.messages == [f"{said}distinct_id_invalid 3", f"{said}uuid_invalid 1"]


def test_the_number_of_reasons_is_bounded() -> None:
    """A metric attribute must not grow without end."""
    health = Health()
    for number in range(MAX_REASONS * 2):
        health.count(DROPPED, f"reason{number}")
    assert len(health.snapshot()) <= MAX_REASONS + 1
    assert health.total(DROPPED) == MAX_REASONS * 2
    assert health.snapshot()[DROPPED, "other"] == MAX_REASONS


def test_the_guard_counts_place_and_type_and_raises_under_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """In production nothing is raised and no message is kept; under test the error comes out."""
    health = Health()
    with pytest.raises(ValueError, match="secret"):
        Guard(health).caught("here", ValueError("secret"))
    monkeypatch.setattr(Guard, "reraise", False)
    Guard(health).caught("here", ValueError("secret"))
    assert health.snapshot() == {("fault", "here:ValueError"): 2}
