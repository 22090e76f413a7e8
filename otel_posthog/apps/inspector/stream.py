"""A journal as a stream of server-sent events, at the pace of the one who reads: what it is too slow for is a gap."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

from otel_posthog.apps.inspector.journal import Journal
from otel_posthog.inspection.form import as_line

NEWEST = 200
"""How many items a page gets at once when it opens."""

STATE_INTERVAL_S = 1.0
_PIECE = 50

State = Callable[[], dict[str, object]]


async def events(journal: Journal, state: State, after: int | None) -> AsyncIterator[str]:
    """Yield the stream.

    Args:
        journal: What is shown.
        state: Makes a `state`.
        after: The number of the last item that the reader has; None for the newest ones.
    """
    loop, news = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(news.set)

    journal.listen(tell)
    try:
        async for each in _events(journal, state, after, news):
            yield each
    finally:
        journal.forget(tell)


async def _events(journal: Journal, state: State, after: int | None, news: asyncio.Event) -> AsyncIterator[str]:
    yield _data(state())
    cursor = max(0, journal.last_seq - NEWEST) if after is None else min(after, journal.last_seq)
    told = _already_told(journal, after)
    is_summed, state_at = False, time.monotonic() + STATE_INTERVAL_S
    while True:
        news.clear()
        ended = journal.ended
        for each in journal.forgotten(told):
            told += 1
            yield _data({"type": "forgotten", "process": {"pid": each.pid}})
        piece, cursor = _new(journal, cursor)
        if piece:
            yield piece
            # To a reader that is gone nothing waits to be written: only here the server sees that.
            await asyncio.sleep(0)
        if journal.summary is not None and not is_summed and cursor >= journal.last_seq:
            is_summed = True
            yield _data(state())
            yield _data(journal.summary)
        if ended and cursor >= journal.last_seq:
            yield _data({"type": "end", "reason": ended})
            return
        if cursor >= journal.last_seq:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(news.wait(), max(0.0, state_at - time.monotonic()))
        if time.monotonic() >= state_at:
            state_at = time.monotonic() + STATE_INTERVAL_S
            yield _data(state())


def _already_told(journal: Journal, after: int | None) -> int:
    """Return how much of what was forgotten a reader need not hear of: it has nothing, or has heard it before."""
    known = journal.forgotten()
    return len(known) if after is None else sum(each.last_seq < after for each in known)


def _new(journal: Journal, cursor: int) -> tuple[str, int]:
    """Return the next piece of the stream, empty where there is none, and the number of the last item in it."""
    last, found = journal.last_seq, journal.after(cursor, _PIECE)
    passed = min(journal.passed(cursor), found[0].seq - 1 if found else last)
    gap = _data({"type": "gap", "from": cursor + 1, "to": passed}) if passed > cursor else ""
    if not found:
        return gap, max(cursor, last)
    return gap + "".join(f"id: {each.seq}\ndata: {each.line}\n\n" for each in found), found[-1].seq


def _data(content: Mapping[str, object]) -> str:
    return f"data: {as_line(content)}\n\n"
