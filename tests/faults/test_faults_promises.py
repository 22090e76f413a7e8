"""The promises of delivery, shortened: a real program, a real server that fails, a real process that adopts the rest.

The full figures are the benchmark's: `python -m benchmarks --only faults`.
"""

from __future__ import annotations

import pytest

from benchmarks.faults import play
from benchmarks.faults.scenarios import SCENARIOS, Scenario

EVENTS, PER_SECOND = 300, 300.0
# A shared machine keeps the writer from its work for longer than the promise's millisecond; write_through needs none.
BUSY_MS = 100.0

# What a kill may take along is a time.
SHORT = [
    pytest.param(each, id=each.name, marks=[pytest.mark.alone] if each.lost_ms else [])
    for each in SCENARIOS
    if each.is_short
]


@pytest.mark.parametrize("scenario", SHORT)
def test_a_fault_loses_nothing_and_repeats_nothing(scenario: Scenario) -> None:
    """Every event that was emitted arrives, once after its uuid; a kill in `spool` mode may take a moment along."""
    line = play(scenario, events=EVENTS, per_second=PER_SECOND)
    (ledger,) = line.ledgers
    assert ledger.emitted > 0
    assert ledger.duplicates == 0
    if scenario.lost_ms:
        assert ledger.lost_ms <= BUSY_MS
    else:
        assert ledger.lost == 0
    for note in line.notes:
        assert float(note.removeprefix("shutdown ")) <= 5.5


def test_the_ledger_sees_what_is_lost_and_what_comes_twice() -> None:
    """A kit that cannot fail proves nothing: events that never arrive, or arrive under another name, are told."""
    from dataclasses import replace  # noqa: PLC0415

    from benchmarks.faults.ledger import balance, uuid_of  # noqa: PLC0415
    from otel_posthog.testing import CapturedEvent  # noqa: PLC0415

    class Counted:
        def counts(self) -> tuple[int, ...]:
            return 3, 2

        def emitted_at(self, slot: int, number: int) -> float:
            return slot + number / 100

    first = CapturedEvent("tick", uuid_of(0, 0), "u", "2026-01-02T03:04:05+00:00", {}, "/batch/", 0.0)
    others = [
        replace(first, uuid=uuid_of(0, 2)),
        replace(first, uuid=uuid_of(1, 0)),
        replace(first, uuid=uuid_of(1, 1)),
    ]
    ledger = balance(Counted(), [first, first, replace(first, distinct_id="v"), *others])  # type: ignore[arg-type]
    assert (ledger.emitted, ledger.arrived, ledger.lost) == (5, 4, 1)
    assert (ledger.duplicates, ledger.repeats) == (1, 1)
    assert round(ledger.lost_ms) == 10
