"""The benchmark `instructions`: how many instructions three fixed workloads take, against an earlier commit.

Times wobble by more than most changes cost; instructions, as callgrind counts them, do not. Both sides run under the
same interpreter, with the same dependencies: only the package is another one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from benchmarks.report import Result, Say, table

NAME = "instructions"
ON_DEMAND = True
"""Only run where it is asked for."""

WORKLOADS = {
    "operational": "a span that is no product event",
    "product": "one that is, of values that were seen before, up to the disk",
    "texts": "one of four texts that were never seen",
}
# Two runs of the same are less than 1 % apart, most of it what threads do while they wait.
GROWTH = 1.03
REPETITIONS, RUNS = 100, 2
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("program.py")
_TIMEOUT_S = 300
_COLLECTED = re.compile(r"Collected : (\d+)")


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument("--base", metavar="COMMIT", help="compare with it (default: where this branch left main)")


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Count on both sides."""
    problem = _missing()
    if problem:
        return Result(f"instructions: not counted: {problem}", {"problem": problem})
    base = parsed.base or _base()
    counted = {"here": _counts(ROOT, say)}
    if base is None:
        say("instructions: no commit to compare with: this is no clone with a history")
    else:
        with _checkout(base) as folder:
            counted[base] = _counts(folder, say)
    return _result(counted, base)


def grown(figures: dict[str, dict[str, float]]) -> list[str]:
    """Return the workloads that take more than they may."""
    return [name for name, each in figures.items() if each.get("ratio", 1.0) > GROWTH]


def _missing() -> str:
    for command in ("valgrind", "callgrind_control"):
        if shutil.which(command) is None:
            return f"{command} is not installed (Debian: apt-get install valgrind)"
    return ""


def _base() -> str | None:
    """Return the commit where this branch left main; on main itself, the one before."""
    for words in (("merge-base", "HEAD", "origin/main"), ("merge-base", "HEAD", "main"), ("rev-parse", "HEAD~1")):
        found, here = _git(*words), _git("rev-parse", "HEAD")
        if found and found != here:
            return found[:12]
    return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@contextmanager
def _checkout(commit: str) -> Iterator[Path]:
    """Give a folder with the package as it was."""
    packed = subprocess.run(
        ["git", "archive", commit, "otel_posthog"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def _counts(folder: Path, say: Say) -> dict[str, int | None]:
    """Return the instructions of one repetition of each workload; None where that state cannot run it."""
    with ThreadPoolExecutor(2) as threads:
        runs = {name: [threads.submit(_counted, folder, name) for _ in range(RUNS)] for name in WORKLOADS}
        counts: dict[str, int | None] = {}
        for name, started in runs.items():
            numbers = [number for each in started if (number := each.result()) is not None]
            counts[name] = min(numbers, default=None)
            say(f"instructions: {name} of {folder.name} counted")
    return counts


def _counted(folder: Path, name: str) -> int | None:
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null"]
    command += [sys.executable, str(PROGRAM), name, str(REPETITIONS)]
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(folder)}
    environ = {key: value for key, value in environ.items() if not key.startswith(("OTEL_", "POSTHOG_"))}
    done = subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
    found = _COLLECTED.search(done.stderr)
    return int(found[1]) // REPETITIONS if done.returncode == 0 and found else None


def _result(counted: dict[str, dict[str, int | None]], base: str | None) -> Result:
    rows = [("workload", "instructions", f"at {base}", "ratio", "")]
    figures: dict[str, dict[str, float]] = {}
    for name in WORKLOADS:
        here, there = counted["here"][name], counted.get(base or "", {}).get(name)
        if here is None:
            rows.append((name, "failed", "", "", ""))
            continue
        each = figures[name] = {"instructions": here}
        if there is not None:
            each.update(base=there, ratio=here / there)
        shown = (f"{there:,}", f"{here / there:.3f}") if there is not None else ("-", "-")
        rows.append((name, f"{here:,}", *shown, "grew" if grown({name: each}) else ""))
    legend = "\n".join(f"  {name:12} {what}" for name, what in WORKLOADS.items())
    text = f"instructions: what one repetition takes, counted by callgrind\n{legend}\n\n{table(rows)}"
    for name in grown(figures):
        text += (
            f"\n{name} takes more than {GROWTH - 1:.0%} more than at {base}: say why in the commit, or find what it is"
        )
    return Result(text, {"base": base, "workloads": figures})
