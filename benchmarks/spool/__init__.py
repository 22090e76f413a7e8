"""The benchmark `spool`: what the spool costs and holds.

An append next to SQLite and to `write` alone, a million events of dead workers taken over, writers killed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.report import Result, Say, Spread, count, ratios, table
from benchmarks.spool.appenders import Appender, appenders, event
from benchmarks.spool.durability import Killed, Recovered, kill_writers, recover
from otel_posthog.model import CleanEvent

NAME = "spool"
ROUNDS, BLOCK_EVENTS = 20, 2000
WORKERS = 4


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments of this benchmark."""
    group.add_argument("--kills", type=count, default=50, metavar="N", help="processes to kill (default: 50)")
    group.add_argument(
        "--spooled", type=count, default=1_100_000, metavar="N", help="events to recover (default: 1,100,000)"
    )


def run(arguments: argparse.Namespace, say: Say) -> Result:
    """Run all parts."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("append", "recovery", "kill"):
            (Path(folder) / name).mkdir()
        times = _append(Path(folder) / "append", arguments.rounds or ROUNDS)
        say("spool: append done")
        recovered = recover(Path(folder) / "recovery", WORKERS, arguments.spooled)
        say("spool: recovery done")
        killed = kill_writers(Path(folder) / "kill", arguments.kills)
    figures = {
        "append_us": {name: Spread.of(each).figures() for name, each in times.items()},
        "recovery": asdict(recovered),
        "kill": asdict(killed),
    }
    return Result("\n\n".join((_append_text(times), _recovery_text(recovered), _kill_text(killed))), figures)


def _append(folder: Path, rounds: int) -> dict[str, list[float]]:
    able = appenders(folder)
    times: dict[str, list[float]] = {each.name: [] for each in able}
    events = [event(number) for number in range(BLOCK_EVENTS)]
    for index in range(rounds):
        for each in reversed(able) if index % 2 else able:
            times[each.name].append(_block_us(each, events))
    for each in able:
        each.close()
    return times


def _block_us(appender: Appender, events: Sequence[CleanEvent]) -> float:
    """Return the median time of one append, so that another program's turn on the core does not count."""
    took: list[int] = []
    put, clock = appender.put, time.perf_counter_ns
    for each in events:
        started = clock()
        put(each)
        took.append(clock() - started)
    return median(took) / 1000


def _append_text(times: dict[str, list[float]]) -> str:
    floor = times["write(2) alone"]
    rows = [("append of one 400-byte event", "p50 us", "times write(2)")]
    rows += [(name, Spread.of(each).shown(1), ratios(each, floor).shown(1)) for name, each in times.items()]
    return table(rows)


def _recovery_text(made: Recovered) -> str:
    return (
        f"recovery: {made.workers} dead workers, {made.events:,} events; {made.found:,} came back, known after "
        f"{made.adopted_s:.2f} s, read and acknowledged after {made.drained_s:.1f} s; greatest memory "
        f"{made.put_peak_mib:.0f} MiB when all was put, {made.drained_peak_mib:.0f} MiB when all was drained"
    )


def _kill_text(made: Killed) -> str:
    return (
        f"kill -9: {made.kills} processes killed while they wrote, {made.acknowledged:,} events had been acknowledged; "
        f"{made.lost:,} lost, {made.repeated:,} twice"
    )
