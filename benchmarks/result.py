"""What a benchmark hands back: the same figures for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Say = Callable[[str], None]
"""Takes one line about progress."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one benchmark.

    Attributes:
        text: Tables and verdicts, to print.
        figures: The same, for JSON.
    """

    text: str
    figures: dict[str, Any]
