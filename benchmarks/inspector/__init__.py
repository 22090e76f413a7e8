"""What being looked at costs the thread of the app: nobody may, somebody may, somebody does.

Four programs at once, one of them twice, are told in turn to emit the same spans and events; each measures the CPU time
of the emitting thread alone. A ratio is made round by round.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from typing_extensions import Self

from benchmarks.report import Result, Say, Spread

NAME = "inspector"
ON_DEMAND = True
PROGRAM = Path(__file__).with_name("program.py")
ROUNDS, _WARM_UP = 30, 5
OFF, AGAIN, LISTENS, LOOKED_AT = "off", "off, again", "it listens", "looked at"
_KINDS = {"span": "a span", "event": "an event", "burst": "an event of 500 at once"}


class Program:
    """One of them.

    Args:
        folder: Its state.
        is_on: Whether it lets somebody look on.
        is_looked_at: Whether somebody does.
    """

    def __init__(self, folder: Path, *, is_on: bool, is_looked_at: bool) -> None:
        environ = {
            **os.environ,
            "POSTHOG_API_KEY": "phc_bench",
            "OTEL_POSTHOG_ENABLED": "preview",
            "OTEL_POSTHOG_STATE_DIR": str(folder),
            "OTEL_POSTHOG_INSPECT": "1" if is_on else "0",
        }
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        )
        self._ask()
        if is_looked_at:
            (path,) = (folder / "inspect").glob("*.sock")
            threading.Thread(target=_look, args=(path,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate()

    def round(self) -> dict[str, float]:
        """Return nanoseconds of the thread for one of each kind."""
        found = self._ask()
        return {kind: float(found[kind]) for kind in _KINDS}

    def _ask(self) -> dict[str, float]:
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found


def add_arguments(_: argparse._ArgumentGroup) -> None:
    """Add none."""


def run(arguments: argparse.Namespace, say: Say) -> Result:
    """Run the programs in turn and return what a span and an event cost more than in one that nobody may look at."""
    rounds = arguments.rounds or ROUNDS
    wanted = {OFF: (False, False), AGAIN: (False, False), LISTENS: (True, False), LOOKED_AT: (True, True)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in wanted}
    with TemporaryDirectory() as folder, ExitStack() as stack:
        programs = {
            name: stack.enter_context(Program(Path(folder, str(at)), is_on=is_on, is_looked_at=is_looked_at))
            for at, (name, (is_on, is_looked_at)) in enumerate(wanted.items())
        }
        for program in programs.values():
            # Until the ring is full, what it keeps is memory that is taken for the first time.
            for _ in range(_WARM_UP):
                program.round()
        for number in range(rounds):
            say(f"inspector: round {number + 1} of {rounds}")
            order = list(programs.items())
            for name, program in order if number % 2 else reversed(order):
                found[name].append(program.round())
    return _result(found)


def _result(found: dict[str, list[dict[str, float]]]) -> Result:
    figures: dict[str, object] = {}
    lines = ["what the emitting thread pays more than where nobody may look, ns of its CPU time each, paired"]
    for kind, what in _KINDS.items():
        base = [each[kind] for each in found[OFF]]
        lines.append(f"  {what}: {median(base):,.0f} ns where nobody may look, {min(base):,.0f} in its best round")
        for name in (AGAIN, LISTENS, LOOKED_AT):
            more = Spread.of(each[kind] - off for each, off in zip(found[name], base, strict=True))
            best = min(each[kind] for each in found[name]) - min(base)
            spread = f"[{more.min:+,.0f} to {more.max:+,.0f}]"
            lines.append(f"    {name:<12} {more.median:+8,.0f} ns  {spread}; best rounds {best:+,.0f} ns")
            figures[f"{kind}, {name}"] = {"median_ns": more.median, "best_ns": best}
    return Result("\n".join(lines), figures)


def _look(path: Path) -> None:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        while connection.recv(1 << 20):
            pass
