"""Values in which there was nothing to hide the last time: names, routes, methods, which every item brings again.

Only what left unchanged is kept, so that no personal data stays in memory. Threads share it without a lock: at worst
two of them look at a value for which one look would have been enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_VALUES, MAX_CHARS = 4096, 256
"""Names, routes and methods of a large program have room; when it is full, all are forgotten."""


class Harmless:
    """Pairs of a key and a short text or an integer that may leave as they are.

    Attributes:
        values: The pairs, a plain set for hot paths to ask with `in`; but only for values of exactly these two types,
            since Python takes True for 1, and an object of the app's own class may be equal to any text.
    """

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: set[tuple[str, Any]] = set()

    def knows(self, key: str, value: object) -> bool:
        """Return whether `value` under `key` left unchanged before."""
        return (type(value) is str or type(value) is int) and (key, value) in self.values

    def knows_all(self, values: Mapping[str, object]) -> bool:
        """Return whether each of `values`, by key, left unchanged before."""
        known = self.values
        for key, value in values.items():
            if (type(value) is not str and type(value) is not int) or (key, value) not in known:
                return False
        return True

    def remember(self, key: str, value: object) -> None:
        """Remember that `value` under `key` has left unchanged, if it is short enough."""
        if type(value) is int or (type(value) is str and len(value) <= MAX_CHARS):
            if len(self.values) >= MAX_VALUES:
                self.values.clear()
            self.values.add((key, value))
