"""The benchmark `delivered`: what an event costs until PostHog has it, next to clients that filter and store nothing.

Each contender is a program of its own; they take turns, in alternating order. The server costs little and is never what
is waited for: it answers each batch with success and counts its events, and none may be missing.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.cache import kept
from benchmarks.gateway_load import free_port, process, wait_until_counted, wait_until_ready
from benchmarks.report import Result, Say, Spread, count, ratios, table

NAME = "delivered"
ROUNDS = 5
EVENTS, PER_SECOND, PACED_S = 20_000, 2000, 3
SDK, OURS, V1, EXPORTER = "sdk", "otel-posthog", "posthog-python V1", "posthog-otel-exporter"
CONTENDERS = {
    SDK: "the span alone: nobody hears of it",
    OURS: "the span, filters, spool and delivery",
    "otel-posthog, memory": "the same with `durability: memory`: no disk",
    V1: "capture() in its capture mode V1; no span, no filter, no disk",
    "posthog-python V0": "the same in its default mode",
    EXPORTER: "a span event, which its exporter hands to posthog-python; no filter, no disk",
    "OTLP": "the span, BatchSpanProcessor and OTLP over HTTP",
}
HEAD = """\
delivered: an event of eleven properties, from the span or capture() to the server's answer
{rounds} rounds; each program has its turn in each: back to back {events:,} events; {per_second:,}/s for {paced_s:g} s.
CPU is of the whole process, the span included; the app's thread spends p99 on an event with the span, and at p50
`adds` to the span alone (of posthog-python, which makes no span, it is all of it). Medians (least-greatest).
"""
_TIMEOUT_S = 120.0
EXPORTER_RELEASE = "posthog-otel-exporter==0.1.0"


@dataclass(frozen=True, slots=True)
class Condition:
    """One table.

    Attributes:
        name: Its heading.
        per_second: 0 is back to back.
        names: Who takes part.
        server: `works`, `refuses` or `hangs`.
    """

    name: str
    per_second: float
    names: Sequence[str]
    server: str = "works"


CONDITIONS = (
    Condition("back to back", 0, tuple(CONTENDERS)),
    Condition(f"{PER_SECOND:,}/s", PER_SECOND, tuple(CONTENDERS)),
    Condition(f"{PER_SECOND:,}/s, refused", PER_SECOND, (SDK, OURS, V1), "refuses"),
    Condition(f"{PER_SECOND:,}/s, hanging", PER_SECOND, (SDK, OURS, V1), "hangs"),
)


@dataclass(slots=True)
class Turns:
    """What one contender's turns took, a figure for each round."""

    cpu_us: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    p50_us: list[float] = field(default_factory=list)
    p99_us: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)

    def add(self, told: Mapping[str, float], events: int) -> None:
        """Add what one turn printed."""
        self.cpu_us.append(told["cpu_s"] / events * 1e6)
        self.per_second.append(events / told["wall_s"])
        for name in ("p50_us", "p99_us", "peak_mib"):
            getattr(self, name).append(told[name])


Table = dict[str, Turns]


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument(
        "--delivered-events", type=count, default=EVENTS, metavar="N", help=f"events (default: {EVENTS})"
    )
    names = [each.name for each in CONDITIONS]
    group.add_argument("--delivered-condition", choices=names, help="one table only (default: all)")
    group.add_argument("--delivered-contender", choices=list(CONTENDERS), help="with `sdk` and posthog-python V1 only")
    group.add_argument(
        "--delivered-paced-s",
        type=float,
        default=PACED_S,
        metavar="S",
        help=f"of a turn at a pace (default: {PACED_S})",
    )


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Run all rounds of all conditions."""
    rounds, figures, parts = parsed.rounds or ROUNDS, dict[str, Any](), list[str]()
    _, problem = _exporter()
    if problem:
        say(f"no {EXPORTER}: {problem}")
    for each in CONDITIONS:
        if parsed.delivered_condition not in {None, each.name}:
            continue
        events = int(each.per_second * parsed.delivered_paced_s) or parsed.delivered_events
        wanted = {SDK, parsed.delivered_contender, V1} if parsed.delivered_contender else set(CONTENDERS)
        names = [name for name in each.names if name in wanted and not (problem and name == EXPORTER)]
        turns = _rounds(each, names, events, rounds)
        say(f"delivered: {each.name} done")
        parts.append(_part(each, turns))
        figures[each.name] = {name: _figures(name, turns) for name in turns}
    head = HEAD.format(
        rounds=rounds, events=parsed.delivered_events, per_second=PER_SECOND, paced_s=parsed.delivered_paced_s
    )
    legend = "\n".join(f"  {name:22} {what}" for name, what in CONTENDERS.items())
    return Result("\n".join((head, legend, *parts)), {"rounds": rounds, "conditions": figures})


def _rounds(condition: Condition, names: Sequence[str], events: int, rounds: int) -> Table:
    turns: Table = {name: Turns() for name in names}
    for number in range(rounds):
        for name in reversed(names) if number % 2 else names:
            turns[name].add(_turn(name, condition, events), events)
    return turns


def _turn(name: str, condition: Condition, events: int) -> dict[str, float]:
    with _server(condition.server) as port, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        program, _, durability = name.partition(", ")
        command = [sys.executable, "-m", "benchmarks.delivered.program", program, f"http://127.0.0.1:{port}"]
        command += [str(events), str(condition.per_second), *([] if condition.server == "works" else ["no-wait"])]
        environ = _environ(folder, durability)
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
        if condition.server == "works" and name != SDK:
            wait_until_counted(port, events, _TIMEOUT_S)
        told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return told


def _environ(folder: str, durability: str) -> dict[str, str]:
    environ = {
        **os.environ,
        "OTEL_POSTHOG_STATE_DIR": f"{folder}/state",
        "OTEL_POSTHOG_SPOOL_DIR": f"{folder}/spool",
        "OTEL_POSTHOG_NOTICE": "false",
        "PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), _exporter()[0]))),
    }
    if durability:
        policy = Path(folder, "policy.yaml")
        policy.write_text(f"delivery: {{durability: {durability}}}\n", encoding="utf-8")
        environ["OTEL_POSTHOG_POLICY"] = str(policy)
    return environ


@contextmanager
def _server(kind: str) -> Iterator[int]:
    """Run a server and give its port; one that hangs is a socket that nobody reads."""
    if kind == "works":
        port = free_port()
        with process([sys.executable, "-m", "benchmarks.delivered.program", "receive", str(port)]):
            wait_until_ready(f"http://127.0.0.1:{port}/")
            yield port
    elif kind == "refuses":
        yield free_port()
    else:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
            yield silent.getsockname()[1]


@cache
def _exporter() -> tuple[str, str]:
    """Return where posthog-otel-exporter is, fetched the first time, and why it is not; its needs are met here."""
    folder = kept("peers", EXPORTER_RELEASE)
    if not folder.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        done = subprocess.run([*command, EXPORTER_RELEASE], capture_output=True, text=True, check=False)
        if done.returncode:
            return "", done.stderr.strip().splitlines()[-1]
    return str(folder), ""


def _part(condition: Condition, turns: Table) -> str:
    rows = [(condition.name, "CPU us/event", "to V1", "events/s", "to V1", "adds p50 us", "p99 us", "MiB")]
    for name, each in turns.items():
        rate = (
            ("-", "-")
            if condition.per_second or name == SDK
            else (_shown(each.per_second, 0), _to_v1(name, turns, "per_second"))
        )
        adds = "-" if name == SDK else _adds(name, turns).shown(1)
        rows.append(
            (
                name,
                _shown(each.cpu_us, 0),
                _to_v1(name, turns, "cpu_us"),
                *rate,
                adds,
                _shown(each.p99_us, 0),
                f"{Spread.of(each.peak_mib).median:.0f}",
            )
        )
    return f"\n{table(rows)}"


def _shown(values: Sequence[float], digits: int) -> str:
    return Spread.of(values).shown(digits)


def _to_v1(name: str, turns: Table, what: str) -> str:
    return ratios(getattr(turns[name], what), getattr(turns[V1], what)).shown(2)


def _adds(name: str, turns: Table) -> Spread:
    own = turns[name].p50_us
    if name.startswith("posthog-python"):
        return Spread.of(own)
    return Spread.of(mine - sdk for mine, sdk in zip(own, turns[SDK].p50_us, strict=True))


def _figures(name: str, turns: Table) -> dict[str, Any]:
    each = turns[name]
    return {
        "cpu_us": Spread.of(each.cpu_us).figures(),
        "cpu_to_v1": ratios(each.cpu_us, turns[V1].cpu_us).figures(),
        "per_second": Spread.of(each.per_second).figures(),
        "per_second_to_v1": ratios(each.per_second, turns[V1].per_second).figures(),
        "adds_p50_us": _adds(name, turns).figures(),
        "p99_us": Spread.of(each.p99_us).figures(),
        "peak_mib": Spread.of(each.peak_mib).figures(),
    }
