"""One round: every program once, all of them running, taking turns."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.requests.condition import Condition
from benchmarks.requests.program import Program
from benchmarks.requests.visit import SET_UP_REQUESTS
from otel_posthog.testing.server import Answer, LocalServer

TURN_REQUESTS = 10
"""Few, so that what else the machine does hits all programs alike; not one, so that caches are as warm as in life."""
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
        """Say yes."""
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
