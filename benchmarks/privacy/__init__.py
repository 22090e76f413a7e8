"""The benchmark `privacy`: what filters catch of what must not leave, and damage of the rest, side by side.

Takes a corpus of yours: no labelled value is part of this project. Every contender gets the same rows in one run; the
operational side gets them through its real exporter and a real OTLP receiver. See docs/privacy-benchmark.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.privacy.contenders import contenders
from benchmarks.privacy.score import HEAD, Score, read, score
from benchmarks.report import Result, Say, table

NAME = "privacy"
ON_DEMAND = True
"""Only run where it is asked for: it needs a corpus."""


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument("--corpus", type=Path, metavar="FILE", help="JSON lines of labelled values, also .xz")
    group.add_argument("--no-peers", action="store_true", help="this package only")


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Score every contender on the corpus."""
    if parsed.corpus is None:
        return Result("privacy: name a corpus with --corpus FILE (its form: docs/privacy-benchmark.md)", {})
    rows = read(parsed.corpus)
    scores: dict[str, Score] = {}
    for name, redact_all in contenders(peers=not parsed.no_peers, say=say).items():
        say(f"{name}: {len(rows)} rows")
        answers = redact_all(rows)
        if answers is not None:
            scores[name] = score(rows, answers)
    lines = table([HEAD, *([name, *each.cells()] for name, each in scores.items())])
    return Result(lines, {name: each.figures() for name, each in scores.items()})
