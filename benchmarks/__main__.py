"""The command `python -m benchmarks`: runs the benchmarks and prints their tables and one page, or one JSON object."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    delivered,
    derive,
    faults,
    fuzz_gateway,
    fuzz_privacy,
    gateway_load,
    growth,
    inspector,
    instructions,
    operational_load,
    page,
    privacy,
    requests,
    soak,
    span_end,
    spool,
    start,
)
from benchmarks.report import Result, count
from otel_posthog.apps.demo.app import AppError

BENCHMARKS = (
    requests,
    span_end,
    delivered,
    derive,
    growth,
    spool,
    start,
    faults,
    soak,
    privacy,
    fuzz_privacy,
    gateway_load,
    operational_load,
    fuzz_gateway,
    instructions,
    inspector,
)

DESCRIPTION = """\
What otel-posthog costs the app that it runs in. Every number is a comparison
within one run: the programs take turns, in alternating order, and one of them
runs twice, so that you see how far apart two runs of the same program are on
this machine. A difference smaller than that is no difference.
"""
EPILOG = """\
benchmarks:
  requests  the request and exit times of examples/helpdesk under
            opentelemetry-instrument while PostHog works, refuses, hangs or does
            not know the key, with collection off, and without otel-posthog
  span_end  what one span costs the thread that makes it, next to the SDK alone
            and to capture() of posthog-python
  delivered  what an event costs until PostHog has it, in CPU, memory and time of
            the application's thread, next to posthog-python (V0, V1),
            posthog-otel-exporter and OTLP, also while a server refuses or hangs
  derive    what rules that make product events of telemetry cost a span that no
            rule is about
  growth    how the cost of an event grows with attributes, length of a text,
            destinations, rules, threads and what waits on disk
  spool     an append next to SQLite and to write(2) alone, what four dead
            workers left taken over, fifty processes killed while they write
  start     what import and configure() take: CPU, memory, modules
  faults    what is lost and what comes twice in outages, refusals, kills and
            forks, with a second process that adopts the spool
  soak      whether memory, threads, files and disk grow in an hour at 1,000/s;
            only with --only soak
  privacy   what the filters catch, damage and keep of a corpus of labelled values
            of yours, next to other filters; only with --only privacy
  fuzz_privacy  made-up texts against the privacy filter's promises; only with
            --only fuzz_privacy
  gateway_load  how many events a second the gateway takes on one core, and what
            an event costs with two workers
  operational_load  what filtering spans, log records and points costs, side by side: a
            gateway, a Collector without a filter, with the compiled layer, and with
            a gateway behind it; only with --only operational_load
  instructions  how many instructions three fixed workloads take, against the commit
            where this branch left main, counted by callgrind; only with --only
            instructions
  inspector what being looked at costs the thread of the app; only with
            --only inspector
  fuzz_gateway  malformed OTLP against a running gateway; only with --only
            fuzz_gateway

examples:
  make bench                                        all and the page, half an hour
  make bench ARGS="--only span_end"                 one minute
  make bench ARGS="--only delivered --plot costs.svg"
  make bench ARGS="--only requests --sampling 1"    with all traces kept
  make bench ARGS="--only requests --condition hanging --rounds 2"
  make bench ARGS="--only faults --fault kill --events 2000"
  make bench ARGS="--only soak --minutes 10"
  make bench ARGS="--only privacy --corpus values.jsonl"
  make bench ARGS="--only fuzz_privacy --seconds 60"
  python -m benchmarks --json 2>/dev/null | jq .requests.noise_ratio

how to read it:
  the last table has the figures that are asked for first, beside their goals.
  Medians, with the least and the greatest round in brackets; a ratio is made
  round by round, then summarised. Times in ms and us are of this machine and
  this moment: compare ratios, never times of two runs.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line `arguments` ask for and return the exit status."""
    parsed = _parser().parse_args(arguments)
    results: dict[str, Result] = {}
    try:
        for benchmark in BENCHMARKS:
            on_demand = getattr(benchmark, "ON_DEMAND", False)
            if parsed.only == benchmark.NAME or (parsed.only is None and not on_demand):
                results[benchmark.NAME] = benchmark.run(parsed, _say)
                if not parsed.json:
                    print(f"{results[benchmark.NAME].text}\n", flush=True)
        if parsed.plot:
            page.plot(results, parsed.plot)
    except (AppError, ImportError, ValueError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    whole = page.page(results)
    if parsed.json:
        figures = {name: result.figures for name, result in results.items()}
        print(json.dumps(figures | ({"page": whole.figures} if whole else {})))
    elif whole:
        print(whole.text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=[each.NAME for each in BENCHMARKS], help="run this one only")
    parser.add_argument(
        "--rounds", type=count, metavar="N", help="rounds of every benchmark (default: 5 of requests, 20 of span_end)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw `delivered` and `growth` into an .svg or .png")
    for benchmark in BENCHMARKS:
        benchmark.add_arguments(parser.add_argument_group(benchmark.NAME))
    return parser


def _say(line: str) -> None:
    """Log progress to standard error, apart from the result."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
