"""A round, in which every program runs once and they take turns; and what the rounds say about one condition."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import Spread, ratios
from benchmarks.requests.condition import AGAIN, WELL, WITHOUT, Condition
from benchmarks.requests.program import SET_UP_REQUESTS, Program
from otel_posthog.testing.server import Answer, LocalServer

TURN_REQUESTS = 10
"""Few, so that other load on the machine hits all programs alike; not one, so that caches are as warm as usual."""
WARM_UP_REQUESTS = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """What one program of a round did.

    Attributes:
        request_s: The median time of its requests.
        exit_s: From SIGTERM to the end of the process.
        delivered_events: How many events its PostHog took.
    """

    request_s: float
    exit_s: float
    delivered_events: int


class TakesAll(LocalServer):
    """An OTLP receiver that decodes nothing, so that it does not compete with what is measured."""

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:  # noqa: ARG002 - the base's signature
        """Accept anything."""
        return Answer(200, b"", "application/x-protobuf")


def run_round(conditions: Sequence[Condition], requests: int, index: int) -> dict[str, Measured]:
    """Run round number `index` and return what each program did, by the name of its condition.

    Raises:
        AppError: A helpdesk did not start, answer or end as it should.
    """
    with ExitStack() as stack:
        parent = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otel-posthog-bench-")))
        otlp = stack.enter_context(TakesAll())
        programs = [_program(each, parent, otlp.url, stack) for each in conditions]
        with ThreadPoolExecutor(len(programs)) as starters:
            list(starters.map(Program.start, programs))
        # Another program is the first of every round.
        first = index % len(programs)
        take_turns([*programs[first:], *programs[:first]], requests)
        for program in programs:
            program.stop()
        return {each.condition.name: _measured(each) for each in programs}


def take_turns(programs: Sequence[Program], requests: int) -> None:
    """Send `requests` requests to each program, forwards and backwards through them, so that drift cancels out."""
    for program in programs:
        program.take_turn(SET_UP_REQUESTS + WARM_UP_REQUESTS, measured=False)
    for turn, start in enumerate(range(0, requests, TURN_REQUESTS)):
        for program in reversed(programs) if turn % 2 else programs:
            program.take_turn(min(TURN_REQUESTS, requests - start))


def _program(condition: Condition, parent: Path, otlp_url: str, stack: ExitStack) -> Program:
    folder = parent / condition.name
    folder.mkdir()
    return Program(condition, folder, otlp_url, stack)


def _measured(program: Program) -> Measured:
    return Measured(median(program.request_times_s), program.exit_s, program.delivered_events)


MAX_EXIT_MORE_S = 5.0
"""What an exit may take on top of the app's own: the policy's `shutdown_timeout_s`."""

Rounds = Sequence[Mapping[str, Measured]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition over all rounds.

    Attributes:
        name: Of the condition.
        request_ms: Its median request time.
        to_well: That, divided by that of `well`, round by round.
        to_again: The same for the control.
        exit_s: From SIGTERM to the end of the process.
        exit_more_s: That, less that of `without`, round by round.
        delivered_events: How many events PostHog took.
        noise: How far two runs of the same program were apart, as a factor.
    """

    name: str
    request_ms: Spread
    to_well: Spread
    to_again: Spread
    exit_s: Spread
    exit_more_s: Spread
    delivered_events: int
    noise: float

    @property
    def is_within_noise(self) -> bool:
        """Whether its request time differs from `well` by no more than a second run of `well` does."""
        return self.to_well.is_within(self.noise)

    @property
    def exits_in_time(self) -> bool:
        """Whether its exit took at most 5 s more than without the package, in every round."""
        return self.exit_more_s.max <= MAX_EXIT_MORE_S

    def figures(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "request_ms": self.request_ms.figures(),
            "ratio_to_well": self.to_well.figures(),
            "ratio_to_again": self.to_again.figures(),
            "exit_s": self.exit_s.figures(),
            "exit_more_s": self.exit_more_s.figures(),
            "delivered_events": self.delivered_events,
            "is_within_noise": self.is_within_noise,
            "exits_in_time": self.exits_in_time,
        }


def compare(rounds: Rounds, conditions: Sequence[Condition]) -> list[Comparison]:
    """Return the comparison of each condition."""
    noise = ratios(_request_s(rounds, AGAIN.name), _request_s(rounds, WELL.name)).noise
    return [_compare(rounds, each.name, noise) for each in conditions]


def _compare(rounds: Rounds, name: str, noise: float) -> Comparison:
    own_s = _request_s(rounds, name)
    return Comparison(
        name,
        request_ms=Spread.of(1000 * each_s for each_s in own_s),
        to_well=ratios(own_s, _request_s(rounds, WELL.name)),
        to_again=ratios(own_s, _request_s(rounds, AGAIN.name)),
        exit_s=Spread.of(each[name].exit_s for each in rounds),
        exit_more_s=Spread.of(each[name].exit_s - each[WITHOUT.name].exit_s for each in rounds),
        delivered_events=sum(each[name].delivered_events for each in rounds),
        noise=noise,
    )


def _request_s(rounds: Rounds, name: str) -> list[float]:
    return [each[name].request_s for each in rounds]
