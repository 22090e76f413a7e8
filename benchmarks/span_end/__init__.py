"""The benchmark `span_end`: what one span, or one event, costs the thread that makes it.

Everything runs in this process, with the SDK's own provider and batch processor; nothing is mocked but the exporter,
which throws spans away. The programs take turns in short blocks, so that a slower machine is slower for all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.report import Result, Say, Spread, ratios, table
from benchmarks.span_end.contenders import CAPTURE, OURS, SDK, SDK_AGAIN, Contender, contenders
from benchmarks.span_end.rounds import BLOCK_OPERATIONS, PACES, Pace, Times, run_rounds

NAME = "span_end"
ROUNDS = 20

HEAD = """\
span_end: the time that the application's thread spends on the start and the end of one span with six attributes
product: with analytics.event as well, so that it is a product event; operational: without.
{rounds} rounds; in each, every program below makes {operations} spans in its turn, each measured by itself, the
garbage collector off. What its other threads have to do is waited for between the turns and not counted.
p50 is the median of the rounds' medians (least-greatest), p99 is over all spans; ratios are made within a round.
`adds` is p50 less that of `sdk`; of capture(), which makes no span, it is p50 itself.
"""

Table = dict[str, Times]


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments of this benchmark: none of its own."""
    group.description = "takes no arguments of its own"


def run(arguments: argparse.Namespace, say: Say) -> Result:
    """Run all rounds."""
    rounds, parts, figures = arguments.rounds or ROUNDS, [], {}
    with ExitStack() as stack:
        able = contenders(stack)
        for pace in PACES:
            for kind in ("product", "operational"):
                times = run_rounds(able, kind, pace, rounds)
                say(f"span_end: {kind} spans {pace.name} done")
                parts.append(_part(kind, pace, times))
                figures[f"{kind}, {pace.name}"] = {name: _figures(name, times) for name in times}
    head = HEAD.format(rounds=rounds, operations=BLOCK_OPERATIONS)
    text = "\n".join((head, _legend(able), *parts))
    return Result(text, {"rounds": rounds, "operations_per_round": BLOCK_OPERATIONS, "paces": figures})


def _part(kind: str, pace: Pace, times: Table) -> str:
    rows = [(f"{kind}, {pace.name}", "p50 us", "p99 us", "p50 / sdk", "adds us")]
    for name, each in times.items():
        p50 = Spread.of(each.rounds_us).shown(1)
        rows.append((name, p50, f"{each.p99_us:.0f}", _to_sdk(name, times).shown(2), _adds(name, times).shown(1)))
    return "\n".join(("", table(rows), *_verdicts(kind, times)))


def _verdicts(kind: str, times: Table) -> list[str]:
    noise = f"noise: two runs of the same program are {_to_sdk(SDK_AGAIN, times).median - 1:+.1%} apart"
    ours_us = _adds(OURS, times).median
    line = f"otel-posthog adds {ours_us:.0f} us to each {kind} span"
    if CAPTURE in times:
        line += f", {ours_us / _adds(CAPTURE, times).median:.2f} times what capture() takes"
    return [noise, line]


def _to_sdk(name: str, times: Table) -> Spread:
    return ratios(times[name].rounds_us, times[SDK].rounds_us)


def _adds(name: str, times: Table) -> Spread:
    own_us = times[name].rounds_us
    if name == CAPTURE:
        return Spread.of(own_us)
    return Spread.of(own - sdk for own, sdk in zip(own_us, times[SDK].rounds_us, strict=True))


def _figures(name: str, times: Mapping[str, Times]) -> dict[str, Any]:
    return {
        "p50_us": Spread.of(times[name].rounds_us).figures(),
        "p99_us": times[name].p99_us,
        "ratio_to_sdk": _to_sdk(name, dict(times)).figures(),
        "adds_us": _adds(name, dict(times)).figures(),
    }


def _legend(able: Sequence[Contender]) -> str:
    return "\n".join(f"  {each.name:21} {each.summary}" for each in able)
