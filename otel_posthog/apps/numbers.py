"""The numbers that options take; whatever else is given is answered with what to write.

Each is the `type` of an argument: from the text to the number.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

MAX_PORT = 65_535
MAX_NUMBER = 10**15
MAX_SECONDS = 10_000_000.0
"""More than any wait; the system's own clocks refuse what is much longer."""


def whole(least: int, most: int = MAX_NUMBER) -> Callable[[str], int]:
    """Return what reads a whole number from `least` to `most`."""
    span = f"from {least} to {most}" if most < MAX_NUMBER else f"of at least {least}"

    def read(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_NUMBER))
        if not is_number or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"write a whole number {span}")
        return int(text)

    return read


port = whole(0, MAX_PORT)
count = whole(0)
positive = whole(1)


def seconds_up_to(most: float) -> Callable[[str], float]:
    """Return what reads a time to wait, in seconds, above 0 and up to `most`."""

    def read(text: str) -> float:
        number = _number(text)
        if not 0 < number <= most:
            raise argparse.ArgumentTypeError(f"write a number of seconds above 0, up to {most:.0f}, for example 10")
        return number

    return read


seconds = seconds_up_to(MAX_SECONDS)


def share(text: str) -> float:
    """Return a number from 0 to 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("write a number from 0 to 1")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
