"""What is being waited for, on a terminal, for as long as it is waited for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from otel_posthog.apps.terminal import styled
from otel_posthog.text import visible

_CLEAR = "\r\x1b[K"


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Show what is waited for while the block lasts, where standard error is a terminal.

    Args:
        what: In a few words.
    """
    if not sys.stderr.isatty():
        yield
        return
    out = styled(sys.stderr)
    out.write(f"{_CLEAR}{visible(what)} ...")
    out.flush()
    try:
        yield
    finally:
        out.write(_CLEAR)
        out.flush()
