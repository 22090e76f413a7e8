"""A number becomes the range in which it lies: `10-100`, `<10`, `>=100`."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")


def bucket(value: object, bounds: Sequence[float]) -> str | None:
    """Return the range of `value`; the same text for a range of these bounds; None for what is no number.

    Args:
        value: A number, or a text that is one.
        bounds: Ascending; a range holds its lower bound and not its upper one.
    """
    if isinstance(value, str):
        if value in labels(bounds):
            return value
        if _NUMBER.fullmatch(value) is None:
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        return None
    return labels(bounds)[bisect_right(bounds, value)]


def labels(bounds: Sequence[float]) -> list[str]:
    """Return the names of the ranges between `bounds`, ascending."""
    names = [f"{bound:.15g}" for bound in bounds]
    inner = [f"{low}-{high}" for low, high in pairwise(names)]
    return [f"<{names[0]}", *inner, f">={names[-1]}"]
