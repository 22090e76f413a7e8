"""What had nothing to hide the last time: event names, routes, the resource, which every event brings again.

Only what left unchanged is remembered, so that no personal data stays in memory. A set that threads share: at worst two
of them look at a value that one look would have been enough for.
"""

from __future__ import annotations

# Names, routes and methods of a large program; past it they are looked at anew.
MAX_REMEMBERED, MAX_CHARS = 4096, 256


class Remembered:
    """Pairs of a key and a short text or an integer that may leave as they are."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[tuple[str, object, type]] = set()

    def knows(self, key: str, value: object) -> bool:
        """Return whether `value` under `key` left unchanged before."""
        kind = type(value)
        return (kind is str or kind is int) and (key, value, kind) in self._known

    def add(self, key: str, value: object) -> None:
        """Remember that `value` under `key` has left unchanged, if it is short enough."""
        kind = type(value)
        if kind is int or (kind is str and len(value) <= MAX_CHARS):  # type: ignore[arg-type]
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known.add((key, value, kind))
