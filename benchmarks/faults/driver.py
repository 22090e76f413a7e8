"""The program under test: emits numbered product events at a rate, and ends in a given way.

`python -m benchmarks.faults.driver JSON` runs it, in a process of its own; `Load` says what the JSON holds.
`python -m benchmarks.faults.driver adopt HOST` emits nothing of its own and delivers what others left, until its
standard input ends.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

import otel_posthog
from benchmarks.faults.ledger import EVENT, Tally, uuid_of
from otel_posthog.policy import DeliveryPolicy, Durability, Policy

# Makes an event as large as a usual one: 400 bytes as it is sent.
PADDING = "0123456789" * 8


@dataclass(frozen=True, slots=True)
class Load:
    """What the program does.

    Attributes:
        host: The PostHog server.
        tally: The file of the counts.
        events: How many, of the program and of each child.
        per_second: How fast; 0 without a pause.
        durability: The delivery policy's.
        children: How many children it forks, each of which emits `events` and ends in `os._exit`.
        ending: `shutdown`, `exit` (without a shutdown), `os_exit`, or `wait` (until it is killed).
        spinners: Threads that saturate the interpreter.
        poison: Events that nobody should emit, among the others.
        request_timeout_s: The delivery policy's.
    """

    host: str
    tally: str
    events: int = 10_000
    per_second: float = 2000.0
    durability: str = Durability.SPOOL.value
    children: int = 0
    ending: str = "shutdown"
    spinners: int = 0
    poison: int = 0
    request_timeout_s: float = 15.0

    def to_json(self) -> str:
        """Return it as the program's argument."""
        return json.dumps(asdict(self))


def emit(argument: str) -> None:
    """Do what the load says."""
    load = Load(**json.loads(argument))
    tracer, tally = _set_up(load), Tally(Path(load.tally), load.events)
    for _ in range(load.spinners):
        threading.Thread(target=_spin, daemon=True).start()
    _tell("ready")
    slowest_us = _emit(load, tracer, tally, 0)
    children = [_fork(load, tracer, tally, slot + 1) for slot in range(load.children)]
    for child in children:
        os.waitpid(child, 0)
    emit_poison(load.poison)
    _tell(f"emitted {slowest_us:.0f}")
    _end(load.ending)


def adopt(host: str) -> None:
    """Deliver what others left until standard input ends."""
    otel_posthog.configure(api_key="phc_test", host=host, tracer_provider=TracerProvider(shutdown_on_exit=False))
    sys.stdin.read()
    otel_posthog.shutdown()


def _set_up(load: Load) -> trace.Tracer:
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider, loggers = TracerProvider(), LoggerProvider()
    delivery = DeliveryPolicy(durability=Durability(load.durability), request_timeout_s=load.request_timeout_s)
    otel_posthog.configure(
        policy=Policy(delivery=delivery),
        api_key="phc_test",
        host=load.host,
        tracer_provider=provider,
        logger_provider=loggers,
    )
    from opentelemetry._logs import set_logger_provider  # noqa: PLC0415 - for `capture` of the poison

    set_logger_provider(loggers)
    return provider.get_tracer("faults")


def _emit(load: Load, tracer: trace.Tracer, tally: Tally, slot: int) -> float:
    """Emit the events of one process; return how long the slowest took, in us."""
    started, slowest = time.monotonic(), 0.0
    for number in range(load.events):
        if load.per_second:
            early_s = started + number / load.per_second - time.monotonic()
            if early_s > 0:
                time.sleep(early_s)
        attributes: dict[str, str | int] = {
            "analytics.event": EVENT,
            "analytics.uuid": uuid_of(slot, number),
            "analytics.property.number": number,
            "analytics.property.text": PADDING,
        }
        before = time.perf_counter()
        tracer.start_span("tick", attributes=attributes).end()
        slowest = max(slowest, time.perf_counter() - before)
        tally.add()
    return slowest * 1e6


def _fork(load: Load, tracer: trace.Tracer, tally: Tally, slot: int) -> int:
    child = os.fork()
    if child == 0:
        _emit(load, tracer, tally.of(slot), slot)
        os._exit(0)
    return child


def _end(ending: str) -> None:
    if ending == "shutdown":
        started = time.monotonic()
        otel_posthog.shutdown()
        _tell(f"shutdown {time.monotonic() - started:.2f}")
    elif ending == "os_exit":
        os._exit(0)
    elif ending == "wait":
        time.sleep(600)


def _spin() -> None:
    while True:
        sum(range(1000))


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


KINDS = 5


def emit_poison(count: int) -> None:
    """Emit `count` of each kind; their neighbours are what is counted."""
    for number in range(count):
        for properties in _poisonous(number):
            otel_posthog.capture("poison", properties)


def _poisonous(number: int) -> tuple[dict[Any, Any], ...]:
    recursive: dict[Any, Any] = {"number": number}
    recursive["self"] = recursive
    return (
        {"text": f"lone {chr(0xD800)} surrogate"},
        {"value": math.nan, "other": math.inf},
        {"text": "x" * 2_000_000},
        recursive,
        {1: "one", None: "none", ("a", "b"): "tuple"},
    )


if __name__ == "__main__":
    adopt(sys.argv[2]) if sys.argv[1] == "adopt" else emit(sys.argv[1])
