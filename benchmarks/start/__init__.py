"""The benchmark `start`: what `import otel_posthog` and `configure()` take in an app with the SDK and OTLP.

Each round starts two interpreters, one after the other: how far apart two starts of the same are on this machine is
seen from that. Time is CPU, which other programs do not count into; the wall's is shown beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.report import Result, Say, Spread, table

NAME = "start"
ROUNDS = 10
PROGRAM = Path(__file__).with_name("program.py")
FIGURES = {
    "cpu_ms": "CPU, ms",
    "configure_ms": "of it configure(), ms",
    "wall_ms": "wall, ms",
    "memory_mb": "memory, MB",
    "modules": "modules",
}
_TIMEOUT_S = 120


def add_arguments(_: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments: there are none but `--rounds`."""


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Start it again and again."""
    with tempfile.TemporaryDirectory() as folder:
        started(sys.executable, folder)  # compiles what is not compiled yet, and shows the notice
        rounds = []
        for number in range(parsed.rounds or ROUNDS):
            rounds += [started(sys.executable, folder), started(sys.executable, folder)]
            say(f"start: round {number + 1} done")
    return _result(rounds)


def started(python: str, folder: str) -> dict[str, float]:
    """Return the figures of one start.

    Args:
        python: The interpreter, which has the package.
        folder: For its state.
    """
    own = {
        "POSTHOG_API_KEY": "phc_bench",
        "POSTHOG_HOST": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_POSTHOG_STATE_DIR": f"{folder}/state",
    }
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "POSTHOG_"))}
    done = subprocess.run(
        [python, str(PROGRAM)], env={**environ, **own}, capture_output=True, text=True, check=True, timeout=_TIMEOUT_S
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _result(rounds: list[Mapping[str, float]] | list[dict[str, float]]) -> Result:
    spreads = {name: Spread.of(each[name] for each in rounds) for name in FIGURES}
    noise = Spread.of(one["cpu_ms"] / other["cpu_ms"] for one, other in zip(rounds[::2], rounds[1::2], strict=True))
    rows = [("", "median (least-greatest)"), *((what, spreads[name].shown(1)) for name, what in FIGURES.items())]
    text = f"start: import otel_posthog and configure(), over the SDK with OTLP\n\n{table(rows)}"
    text += f"\ntwo starts of the same, CPU: {noise.shown(2)}"
    return Result(text, {**{name: each.figures() for name, each in spreads.items()}, "noise": noise.figures()})
