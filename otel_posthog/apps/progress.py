"""How far long work is: one line on standard error, drawn again in place; on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, TypeVar, final

from otel_posthog.apps.terminal import styled

_CLEAR = "\r\x1b[K"
_INTERVAL_S = 0.5
_T = TypeVar("_T")


@final
class Progress:
    """Shows a count in place; nothing where standard error is no terminal, or where the page shows it.

    Args:
        out: Standard error.
        is_wanted: Whether the page goes elsewhere.
        done: What was done to each item, in a word.
    """

    def __init__(self, out: IO[str], *, is_wanted: bool, done: str = "read") -> None:
        self._out, self._is_shown, self._done = out, is_wanted and out.isatty(), done
        self._next_s, self._is_drawn = time.monotonic() + _INTERVAL_S, False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self._is_drawn:
            self._out.write(_CLEAR)
            self._out.flush()
            self._is_drawn = False

    def show(self, items: int) -> None:
        """Show that `items` are done, twice a second at most."""
        if self._is_shown and time.monotonic() >= self._next_s:
            self._out.write(f"{_CLEAR}{items:,} items {self._done} ...")
            self._out.flush()
            self._next_s, self._is_drawn = time.monotonic() + _INTERVAL_S, True


def counted(items: Iterable[_T], done: str) -> Iterator[_T]:
    """Yield `items`, and show how many there were.

    Args:
        items: Any.
        done: What is done to each, in a word.
    """
    with Progress(styled(sys.stderr), is_wanted=True, done=done) as progress:
        for number, each in enumerate(items, 1):
            yield each
            progress.show(number)
