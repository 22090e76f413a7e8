"""The benchmark `fuzz_privacy`: made-up texts against the privacy filter, for as long as it is told to.

No corpus: fragments that detectors react to are repeated, mixed, cut, encoded and put into structures. A promise is
broken by an exception, by output that is no JSON, by a second pass that finds more, by a pass that takes too long for
its length, or by a harmless value that comes back altered. One seed makes one input, so that it can be repeated.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from benchmarks.report import Result, Say
from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

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


FILTER = Filter(PrivacyPolicy())

# What starts a search of some detector, and what ends one.
FRAGMENTS = (
    "a", "Z", "7", "0", "@", ".", "-", "_", ":", "::", "/", "//", "\\", "=", "&", "?", "#", " ", "\n", "\t", "+", "%",
    "%40", "%2540", "%25", "\\u0040", "&#64;", "{", "}", "[", "]", '"', "'", ",", ";", "(", ")", "<", ">", "|", "~",
    "ey" + "J", "a.b", "@x.de", "jo@", "://", "https://", "u:p@", "bearer ", "Basic ", "token=", "password: ",
    "--key ", '"secret":"', "cookie: ", "sig=", "-----BEGIN ", "PRIVATE KEY" + "-----", "-----END ", "AKI" + "A",
    "gh" + "p_", "sk" + "-", "_live_", ".atlasv1.", "Q~", ":AA", "/home/", "C:\\Users\\", "+49 ", "00", "(415) ",
    "4111 ", "4111", "DE89 ", "DE89", "078-05-", "1.2.", "8.8.8.", "2a00:", "01-02-", "48.8583,", "°", "passport ",
    "ssn ", "\u200b", "\uff11", "\u0661", "\ud800", "é", "身份证", "\U0001f600",
    "12345678", "X", "true", "null", "1e9",
)  # fmt: skip

# What a pass may take on a busy machine; one in quadratic time would take a thousand times that.
_SECONDS_BASE, _SECONDS_PER_CHAR = 1.0, 2e-4
_MOST_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise.

    Attributes:
        promise: Which.
        seed: Of the input.
        shown: The input's beginning.
    """

    promise: str
    seed: int
    shown: str


def fuzz(seconds: float, seed: int, inputs: int | None = None) -> tuple[int, int, list[Finding]]:
    """Return how many inputs and characters were tried, and what was found.

    Args:
        seconds: How long at most.
        seed: The first input's; each next one is one more.
        inputs: How many at most; None for as many as there is time for.
    """
    until = time.monotonic() + seconds
    chars, findings, first = 0, [], seed
    while time.monotonic() < until and (inputs is None or seed - first < inputs):
        text = made(seed)
        chars += len(text)
        promise = _broken(text, Random(seed))
        if promise:
            findings.append(Finding(promise, seed, ascii(text[:120])))
        seed += 1
    return seed - first, chars, findings


def made(seed: int) -> str:
    """Return the text that `seed` makes."""
    dice = Random(seed)
    parts = dice.choices(FRAGMENTS, k=dice.randint(1, 12))
    for _ in range(dice.randint(0, 4)):
        parts = dice.choice((_repeated, _shuffled, _cut, _encoded))(parts, dice)
    return "".join(parts)[:_MOST_CHARS]


def _repeated(parts: list[str], dice: Random) -> list[str]:
    part = "".join(parts)
    return [part] * min(dice.choice((2, 2, 5, 5, 40, 40, 600, 5000)), max(1, _MOST_CHARS // max(1, len(part))))


def _shuffled(parts: list[str], dice: Random) -> list[str]:
    return dice.sample(parts, len(parts)) + dice.choices(FRAGMENTS, k=3)


def _cut(parts: list[str], dice: Random) -> list[str]:
    text = "".join(parts)
    return [text[dice.randint(0, len(text) // 2) :]]


def _encoded(parts: list[str], dice: Random) -> list[str]:
    text = "".join(parts)[: _MOST_CHARS // 3]
    return [dice.choice((quote, json.dumps, ascii))(text.encode("utf-8", "replace").decode())]


def _broken(text: str, dice: Random) -> str | None:
    value = dice.choice((lambda: text, lambda: {text[:50]: [text]}, lambda: json.dumps([text]), lambda: [text, 1]))()
    start = time.process_time()
    try:
        receipt = Receipt()
        once = FILTER.properties({"k": value}, receipt)
        FILTER.scrub_text(text)
        spent = time.process_time() - start
        json.dumps(once, allow_nan=False)
        twice = FILTER.properties(once, Receipt())
    except Exception as error:
        return f"raised {type(error).__name__}"
    if spent > _SECONDS_BASE + _SECONDS_PER_CHAR * len(text):
        return f"took {spent:.1f} s for {len(text)} characters"
    # A value that was cut in the middle reads differently.
    is_cut = any(action == "truncated" for _, _, action in receipt.entries)
    return None if is_cut or twice == once else "found more the second time"
