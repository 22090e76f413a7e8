"""What the benchmarks' arguments may be."""

from __future__ import annotations

import argparse


def count(text: str) -> int:
    """Return a number of at least 1.

    Raises:
        ArgumentTypeError: It is less.
        ValueError: It is no number.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
