"""A line on standard error that says how far a long file has been read; gone when it is done."""

from __future__ import annotations

import time
from types import TracebackType
from typing import IO, final

_INTERVAL_S = 0.5
_CLEAR = "\r\x1b[K"


@final
class Progress:
    """Shows a count in place; nothing where nobody looks, or where the page itself shows it.

    Args:
        out: Standard error.
        is_wanted: Whether the page goes elsewhere.
    """

    def __init__(self, out: IO[str], *, is_wanted: bool) -> None:
        self._out, self._is_shown = out, is_wanted and out.isatty()
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

    def tell(self, items: int) -> None:
        """Show that `items` have been read, twice a second at most."""
        if self._is_shown and time.monotonic() >= self._next_s:
            self._out.write(f"{_CLEAR}{items:,} items read ...")
            self._out.flush()
            self._next_s, self._is_drawn = time.monotonic() + _INTERVAL_S, True
