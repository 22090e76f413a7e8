"""The benchmark `requests`: does PostHog's state show in the times of a web app, or at its exit?

Each round starts the helpdesk once for every condition, each in a process of its own with a PostHog of its own, and
sends all of them the same requests in turns of a few, one connection at a time; then it stops them one after the other.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks.report import Result, Say, count, table
from benchmarks.requests.condition import AGAIN, COMPARED, SAMPLING, WELL, WITHOUT, Condition, programs
from benchmarks.requests.rounds import MAX_EXIT_MORE_S, TURN_REQUESTS, Comparison, compare, run_round

NAME = "requests"
ROUNDS, REQUESTS = 5, 150

HEAD = """\
requests: examples/helpdesk under opentelemetry-instrument, {sampling:.0%} of traces kept
{rounds} rounds; in each, every program below gets the same {requests} requests, in turns of {turn}, one at a time.
Request time is the median of a round; exit is the time from SIGTERM to the end of the process.
Shown is the median of the rounds (least-greatest); ratios and differences are made within a round.
"""
COLUMNS = ("PostHog is", "request ms", "/ well", "/ again", "exit s", "exit s more than without", "events")


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments of this benchmark."""
    group.add_argument(
        "--requests", type=count, default=REQUESTS, metavar="N", help="measured requests a round (default: %(default)s)"
    )
    group.add_argument(
        "--sampling",
        type=float,
        default=SAMPLING,
        metavar="SHARE",
        help="of traces that are kept (default: %(default)s)",
    )
    group.add_argument(
        "--condition",
        action="append",
        choices=[*(each.name for each in COMPARED), "none"],
        help="compare this one only (may be repeated; none: only what the others are compared with)",
    )


def run(arguments: argparse.Namespace, say: Say) -> Result:
    """Run all rounds.

    Raises:
        AppError: A helpdesk did not start, answer or end as it should.
    """
    conditions, rounds = programs(arguments.condition, arguments.sampling), []
    for index in range(arguments.rounds or ROUNDS):
        started_s = time.monotonic()
        rounds.append(run_round(conditions, arguments.requests, index))
        say(f"requests: round {index + 1} took {time.monotonic() - started_s:.0f} s")
    compared = compare(rounds, conditions)
    head = HEAD.format(sampling=arguments.sampling, rounds=len(rounds), requests=arguments.requests, turn=TURN_REQUESTS)
    figures = {
        "rounds": len(rounds),
        "sampling": arguments.sampling,
        "requests_per_round": arguments.requests,
        "noise_ratio": compared[0].noise,
        "conditions": {each.name: each.figures() for each in compared},
    }
    return Result("\n".join((head, _table(compared), "", _legend(conditions), "", *_verdicts(compared))), figures)


def _table(compared: Sequence[Comparison]) -> str:
    rows = [COLUMNS]
    for each in compared:
        ratios = each.to_well.shown(3), each.to_again.shown(3)
        exits = each.exit_s.shown(2), each.exit_more_s.shown(2)
        rows.append((each.name, each.request_ms.shown(2), *ratios, *exits, f"{each.delivered_events}"))
    return table(rows)


def _legend(conditions: Sequence[Condition]) -> str:
    return "\n".join(f"  {each.name:9} {each.summary}" for each in conditions)


def _verdicts(compared: Sequence[Comparison]) -> list[str]:
    noise = f"noise: rounds of the same program (again / well) are up to {compared[0].noise - 1:.1%} apart"
    return [noise, *(_verdict(each) for each in compared if each.name not in {WELL.name, AGAIN.name})]


def _verdict(one: Comparison) -> str:
    change = f"{one.to_well.median - 1:+.1%}"
    requests = f"request time {change}, {'within' if one.is_within_noise else 'MORE THAN'} the noise"
    if one.name == WITHOUT.name:
        return f"{one.name + ':':10} {requests}"
    limit = f"{'at most' if one.exits_in_time else 'MORE THAN'} {MAX_EXIT_MORE_S:.0f} s"
    return f"{one.name + ':':10} {requests}; exit {one.exit_more_s.max:+.2f} s at most, {limit}"
