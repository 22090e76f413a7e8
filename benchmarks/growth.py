"""The benchmark `growth`: how the cost of an event grows with what there is more of.

Each curve has more of one thing and leaves all else: attributes, the length of a value, threads, destinations, rules,
what waits on disk. None of them may grow faster than in proportion.
"""

from __future__ import annotations

import argparse
import gc
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from benchmarks.report import Result, Say, table
from otel_posthog.deliver.spool import Spool
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent, Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import DeliveryPolicy, Destination, Durability, Policy, Rule
from otel_posthog.stages import Stages

NAME = "growth"
# Of 64 events each, threads submit together.
ROUNDS, EVENTS = 5, 256
HEAD = """\
growth: the CPU time of one event, in us, as there is more of one thing; the least of {rounds} rounds of {events} events
`grows` is by how much longer it takes than at the point before.
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """One thing that grows.

    Attributes:
        name: What it is, with its unit.
        sizes: How much of it, from point to point.
        made: Given a size and what ends with the point, returns what is timed, called with the number of an event.
    """

    name: str
    sizes: Sequence[int]
    made: Callable[[int, ExitStack], Callable[[int], object]]


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments of this benchmark: none of its own."""
    group.description = "takes no arguments of its own"


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Time every point of every curve."""
    logging.getLogger("otel_posthog").setLevel(logging.CRITICAL)  # nothing is delivered
    rounds, parts, figures = parsed.rounds or ROUNDS, list[str](), dict[str, dict[str, float]]()
    for curve in CURVES:
        times = [_time_us(curve, size, rounds) for size in curve.sizes]
        say(f"growth: {curve.name} done")
        parts.append(_part(curve, times))
        figures[curve.name] = {str(size): time_us for size, time_us in zip(curve.sizes, times, strict=True)}
    return Result("\n".join((HEAD.format(rounds=rounds, events=EVENTS), *parts)), figures)


def _time_us(curve: Curve, size: int, rounds: int) -> float:
    found = []
    with ExitStack() as stack:
        work = curve.made(size, stack)
        for each in range(rounds + 1):
            gc.collect()
            started = time.process_time()
            for number in range(EVENTS * each, EVENTS * (each + 1)):
                work(number)
            found.append((time.process_time() - started) / EVENTS * 1e6)
    return min(found[1:])


def _part(curve: Curve, times: Sequence[float]) -> str:
    grows = ["", *(f"{this / before:.2f}" for before, this in pairwise(times))]
    return (
        table(
            [
                (curve.name, *(f"{size:,}" for size in curve.sizes)),
                ("us an event", *(f"{each:.1f}" for each in times)),
                ("grows", *grows),
            ]
        )
        + "\n"
    )


def _policy(destinations: int = 1, rules: int = 0) -> Policy:
    to = tuple(Destination(f"d{number}", "phc_bench", "http://127.0.0.1:9") for number in range(destinations))
    policy = Policy(destinations=to)
    listed = tuple(Rule(keys=(f"secret_{number}.*",)) for number in range(rules))
    return replace(policy, privacy=replace(policy.privacy, rules=listed)) if rules else policy


def _stages(policy: Policy) -> Stages:
    health = Health()
    return Stages(policy, installation_id="growth", health=health, guard=Guard(health))


def _signal(number: int, attributes: int = 8, letters: int = 0) -> Signal:
    values: dict[str, str | int] = {f"analytics.property.n{place}": number % 7 + place for place in range(attributes)}
    if letters:
        # A new one each time: known texts are not looked at again.
        values["analytics.property.text"] = (f"{number} the printer on floor three is out of paper again; " * 200)[
            :letters
        ]
    return Signal(
        source=Source.LOG, name="ticket_opened", attributes=values, time_ns=1_790_000_000_000_000_000 + number
    )


def _attributes(size: int, _: ExitStack) -> Callable[[int], object]:
    stages = _stages(_policy())
    return lambda number: stages.cleaned(_signal(number, size))


def _letters(size: int, _: ExitStack) -> Callable[[int], object]:
    stages = _stages(_policy())
    return lambda number: stages.cleaned(_signal(number, letters=size))


def _destinations(size: int, _: ExitStack) -> Callable[[int], object]:
    stages = _stages(_policy(size))
    return lambda number: stages.cleaned(_signal(number))


def _rules(size: int, _: ExitStack) -> Callable[[int], object]:
    stages = _stages(_policy(rules=size))
    return lambda number: stages.cleaned(_signal(number, letters=40))


def _threads(size: int, stack: ExitStack) -> Callable[[int], object]:
    """Return what has that many threads each submit their part, and waits for the worker."""
    health, policy = Health(), _policy()
    policy = replace(policy, delivery=replace(policy.delivery, durability=Durability.MEMORY, max_buffer_bytes=2**30))
    pipeline = Pipeline(policy, installation_id="growth", health=health, guard=Guard(health))
    stack.callback(pipeline.shutdown, 0)

    def submit(first: int) -> None:
        for number in range(first, first + 64 // size):
            pipeline.submit(_signal(number))

    def work(number: int) -> None:
        if number % 64 == 0:
            started = [threading.Thread(target=submit, args=(number + 64 // size * place,)) for place in range(size)]
            for each in started:
                each.start()
            for each in started:
                each.join()
            pipeline._worker.flush(10)  # noqa: SLF001 - delivery is not what is timed

    return work


def _waiting(size: int, stack: ExitStack) -> Callable[[int], object]:
    """Return what puts an event behind that many on disk, and takes and acknowledges one."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    spool = Spool(Path(folder), "growth", DeliveryPolicy(max_spool_bytes=2**30), Health())
    stack.callback(spool.close)
    for number in range(size):
        spool.put(CleanEvent(f"u{number}", b"x" * 500))

    def work(number: int) -> None:
        spool.put(CleanEvent(f"v{number}", b"x" * 500))
        spool.acknowledge(spool.take(1, 2**20))

    return work


CURVES = (
    Curve("attributes", (1, 2, 4, 8, 16, 32, 64), _attributes),
    Curve("letters of a new text", (16, 64, 256, 1024, 4096), _letters),
    Curve("destinations", (1, 2, 4, 8), _destinations),
    Curve("rules of the policy", (1, 4, 16, 64, 256), _rules),
    Curve("threads that submit", (1, 2, 4, 8, 16), _threads),
    Curve("events on disk", (100, 1000, 10_000, 50_000), _waiting),
)
