"""The faults, one function each: it starts the program, has things go wrong, and waits for the program's end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faults.stage import Stage
from otel_posthog.policy import Durability
from otel_posthog.testing import Fault

BURST_EVENTS = 50_000
# How long other programs on the machine may keep the writer from its work before a kill.
SATURATED_MS = 50.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault.

    Attributes:
        name: As the table calls it.
        play: What happens.
        rounds: How often a full run plays it.
        lost_ms: Milliseconds of traffic that may be lost.
        is_short: Whether tests play it too.
    """

    name: str
    play: Callable[[Stage], None]
    rounds: int = 1
    lost_ms: float = 0.0
    is_short: bool = True


def outage(seconds: float) -> Callable[[Stage], None]:
    """The server is away for some seconds, and comes back."""

    def play(stage: Stage) -> None:
        stage.start()
        stage.wait_emitted(0.1)
        stage.server.pause()
        time.sleep(seconds)
        stage.server.resume()
        stage.end()

    return play


def failing(*faults: Fault) -> Callable[[Stage], None]:
    """The server fails in these ways while the program emits."""

    def play(stage: Stage) -> None:
        for fault in faults:
            stage.server.fault(fault)
        stage.start()
        stage.end()

    return play


def burst(stage: Stage) -> None:
    """All at once, far more than the queue of the worker holds."""
    stage.start(events=stage.load.events * 5, per_second=0.0)
    stage.end()


def too_large(stage: Stage) -> None:
    """The server takes bodies of 10 kB, a quarter of a full batch."""
    stage.server.max_body_bytes = 10_000
    stage.start()
    stage.end()


def hanging(stage: Stage) -> None:
    """Requests are read and never answered; then the server works again."""
    stage.server.fault(Fault(hang_s=60.0, times=None))
    stage.start(request_timeout_s=1.0)
    stage.wait_emitted(0.7)
    stage.server.clear_faults()
    stage.end()


def killed(durability: Durability, number: int, *, spinners: int = 0) -> Callable[[Stage], None]:
    """A signal at any instant."""

    def play(stage: Stage) -> None:
        stage.start(durability=durability.value, ending="wait", spinners=spinners)
        stage.wait_emitted(stage.dice.uniform(0.05, 0.9))
        time.sleep(stage.dice.uniform(0.0, 0.05))
        stage.kill(number)
        stage.end()

    return play


def forked(stage: Stage) -> None:
    """Children emit and end in `os._exit`, which runs nothing of Python's exit."""
    stage.start(events=stage.load.events // 5, children=4)
    stage.end()


def left(*faults: Fault, is_dead: bool = False) -> Callable[[Stage], None]:
    """The program ends without a shutdown while the server is slow or dead."""

    def play(stage: Stage) -> None:
        for fault in faults:
            stage.server.fault(fault)
        if is_dead:
            stage.server.pause()
        stage.start(ending="exit")
        stage.end()
        if is_dead:
            stage.server.resume()
        stage.server.clear_faults()

    return play


def poisoned(stage: Stage) -> None:
    """Events that nobody should emit, among the others."""
    stage.start(poison=3)
    stage.end()


KILL, TERM = signal.SIGKILL, signal.SIGTERM
SPOOL, WRITE_THROUGH = Durability.SPOOL, Durability.WRITE_THROUGH

SCENARIOS = (
    Scenario("outage of 15 s", outage(15), is_short=False),
    Scenario("outage of 60 s", outage(60), is_short=False),
    Scenario("outage of 2 s", outage(2)),
    Scenario("burst of 50,000 at once", burst),
    Scenario("429, Retry-After: 2, ten times", failing(Fault(status=429, retry_after="2", times=10)), is_short=False),
    Scenario("503 ten times", failing(Fault(status=503, times=10)), is_short=False),
    Scenario("413 above 10 kB", too_large),
    Scenario("answer lost after accept, five times", failing(Fault(lose_answer=True, times=5))),
    Scenario("hanging server", hanging),
    Scenario("kill -9, spool", killed(SPOOL, KILL), rounds=10, lost_ms=1.0),
    Scenario("kill -9, spool, saturated", killed(SPOOL, KILL, spinners=2), rounds=5, lost_ms=SATURATED_MS),
    Scenario("kill -9, write_through", killed(WRITE_THROUGH, KILL), rounds=10),
    Scenario("SIGTERM, spool", killed(SPOOL, TERM), rounds=5, lost_ms=1.0),
    Scenario("SIGTERM, write_through", killed(WRITE_THROUGH, TERM), rounds=5),
    Scenario("four children end in os._exit", forked),
    Scenario("exit without shutdown, slow server", left(Fault(delay_s=1.0, times=None))),
    Scenario("exit without shutdown, dead server", left(is_dead=True)),
    Scenario("poison events among the others", poisoned),
)
