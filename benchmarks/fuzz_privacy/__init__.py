"""Throws made-up texts at the privacy filter for as long as it is told to, and reports what broke a promise.

No corpus: fragments that detectors react to are repeated, mixed, cut, encoded and put into structures. A promise is
broken by an exception, by output that is no JSON, by a second pass that finds more, by a pass that takes too long for
its length, or by a harmless value that comes back altered.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.fuzz_privacy.fuzz import Finding, fuzz
from benchmarks.result import Result, Say

NAME = "fuzz_privacy"
ON_DEMAND = True
"""Only run where it is asked for."""


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument("--seconds", type=float, default=600.0, metavar="S", help="how long at most (default: 600)")
    group.add_argument("--inputs", type=int, metavar="N", help="how many at most (default: all there is time for)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="where the dice start (default: 0)")


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Fuzz for `--seconds` or `--inputs` and return what was found."""
    say(f"fuzzing for {parsed.seconds:g} s from seed {parsed.seed}")
    start = time.monotonic()
    inputs, chars, findings = fuzz(parsed.seconds, parsed.seed, parsed.inputs)
    seconds = time.monotonic() - start
    lines = [f"{inputs} inputs, {chars / 1e6:.1f} M characters in {seconds:.0f} s: {len(findings)} findings"]
    lines += [f"  {each.promise}: seed {each.seed}, {each.shown}" for each in findings[:20]]
    return Result("\n".join(lines), {"inputs": inputs, "characters": chars, "findings": len(findings)})


__all__ = ["NAME", "ON_DEMAND", "Finding", "add_arguments", "run"]
