"""The benchmark `faults`: what is lost and what comes twice while everything goes wrong.

A program of its own emits numbered product events through the real set-up; a real server fails in a given way, or the
program is killed; a second process then adopts the spool. The ledger compares what was emitted (the call that ends the
span had returned) with what arrived, by uuid. `tests/faults/` runs the same scenarios, shortened.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.driver import Load
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.scenarios import SCENARIOS, Scenario
from benchmarks.faults.stage import Stage
from benchmarks.report import Result, Say, count, table
from otel_posthog.testing import FakePostHog

NAME = "faults"
EVENTS, PER_SECOND = 10_000, 2000.0

HEAD = """\
faults: what is lost and what comes twice; {events} events at {per_second}/s unless the fault says otherwise
lost: emitted (the call had returned) and not in PostHog once a second process has adopted the spool
ms: in the worst round, from the first lost event to the last one emitted; allowed is what the promise permits
duplicates: what PostHog keeps twice, by date, name, distinct id and uuid; repeats: what it drops for its uuid
"""


@dataclass(frozen=True, slots=True)
class Line:
    """The rounds of one scenario."""

    scenario: Scenario
    ledgers: list[Ledger]
    notes: list[str]
    per_second: float

    @property
    def worst_ms(self) -> float:
        """The greatest loss of a round, in time."""
        return max(each.lost_ms for each in self.ledgers)

    @property
    def is_kept(self) -> bool:
        """Whether the promise was kept in every round."""
        if any(each.duplicates for each in self.ledgers):
            return False
        if not self.scenario.lost_ms:
            return not any(each.lost for each in self.ledgers)
        return self.worst_ms <= self.scenario.lost_ms

    def row(self) -> tuple[str, ...]:
        """Return the line of the table."""
        sums = [sum(getattr(each, name) for each in self.ledgers) for name in ("emitted", "lost")]
        twice = [sum(getattr(each, name) for each in self.ledgers) for name in ("duplicates", "repeats")]
        numbers = [f"{each:,}" for each in (*sums, *twice)]
        verdict = "kept" if self.is_kept else "BROKEN"
        allowed = f"{self.worst_ms:.1f} / {self.scenario.lost_ms:g}"
        rounds = str(len(self.ledgers))
        return (self.scenario.name, rounds, *numbers[:2], allowed, *numbers[2:], verdict)


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments of this benchmark."""
    group.add_argument("--events", type=count, default=EVENTS, metavar="N", help=f"events of a run (default: {EVENTS})")
    group.add_argument(
        "--rate", type=count, default=int(PER_SECOND), metavar="N", help=f"events a second (default: {PER_SECOND:.0f})"
    )
    group.add_argument("--fault", action="append", metavar="TEXT", help="only faults whose name has TEXT in it")


def run(arguments: argparse.Namespace, say: Say) -> Result:
    """Play every scenario."""
    chosen = [each for each in SCENARIOS if _is_chosen(each, arguments.fault)]
    lines = []
    for scenario in chosen:
        lines.append(_play(scenario, arguments))
        say("  ".join(lines[-1].row()) + "  " + ", ".join(lines[-1].notes))
    columns = ("fault", "rounds", "emitted", "lost", "ms / allowed", "duplicates", "repeats", "")
    text = HEAD.format(events=arguments.events, per_second=arguments.rate)
    figures = {line.scenario.name: [_figures(each) for each in line.ledgers] for line in lines}
    return Result(text + "\n" + table([columns, *(line.row() for line in lines)]), figures)


def _play(scenario: Scenario, arguments: argparse.Namespace) -> Line:
    rounds = arguments.rounds or scenario.rounds
    return play(scenario, events=arguments.events, rounds=rounds, per_second=float(arguments.rate))


def play(scenario: Scenario, *, events: int = EVENTS, rounds: int = 1, per_second: float = PER_SECOND) -> Line:
    """Play one scenario `rounds` times, with other random instants each time, and return its results."""
    ledgers, notes = [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, FakePostHog() as server:
            load = Load(server.url, str(Path(folder) / "tally"), events=events, per_second=per_second)
            stage = Stage(server, load, Path(folder), random.Random(number))
            scenario.play(stage)
            ledgers.append(stage.adopt())
            notes += stage.notes
    return Line(scenario, ledgers, notes, per_second)


def _is_chosen(scenario: Scenario, words: list[str] | None) -> bool:
    if words:
        return any(word in scenario.name for word in words)
    # The short outage is for the tests only.
    return scenario.name != "outage of 2 s"


def _figures(ledger: Ledger) -> dict[str, float]:
    names = ("emitted", "arrived", "lost", "lost_ms", "duplicates", "repeats")
    return {name: getattr(ledger, name) for name in names}
