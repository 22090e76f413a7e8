"""The items that a viewer has, newest last, and counts of all that came: filled by a source, read by streams.

Bounded by number and by bytes; nothing of it is ever on a disk. A source's thread adds, an event loop reads; a reader
that is too slow finds a gap and holds nobody up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple

from otel_posthog.inspection.form import as_line

MAX_ITEMS, MAX_BYTES = 1000, 64 * 1024 * 1024
MAX_NAMES = 200
_OTHER = "(other)"


class Kept(NamedTuple):
    """One item.

    Attributes:
        seq: Its number, from 1.
        line: Its object as JSON.
        of: What it is of; empty where all are of one.
    """

    seq: int
    line: str
    of: str = ""


class Forgotten(NamedTuple):
    """Items that were dropped at a user's wish.

    Attributes:
        last_seq: The number of the newest item then.
        pid: Of the process that they were of.
    """

    last_seq: int
    pid: int


class Journal:
    """The items, and the counts.

    Args:
        max_items: How many are kept.
        max_bytes: How much JSON of them is kept.
    """

    def __init__(self, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES) -> None:
        self._max_items, self._max_bytes = max_items, max_bytes
        self._lock = Lock()
        self._items: deque[Kept] = deque()
        self._size_bytes, self._last, self._passed = 0, 0, 0
        self._forgotten: list[Forgotten] = []
        self._listeners: list[Callable[[], None]] = []
        self._totals = Totals()
        self.summary: Mapping[str, object] | None = None
        self.ended: str = ""

    def add(self, item: dict[str, Any], of: str = "") -> int:
        """Keep an item, give it its number and return that."""
        with self._lock:
            self._last += 1
            kept = Kept(self._last, as_line({**item, "seq": self._last}), of)
            self._items.append(kept)
            self._size_bytes += len(kept.line)
            while len(self._items) > self._max_items or (self._size_bytes > self._max_bytes and len(self._items) > 1):
                gone = self._items.popleft()
                self._size_bytes -= len(gone.line)
                self._passed = gone.seq
            self._totals.add(item)
        self._tell()
        return kept.seq

    def drop(self, of: str, pid: int) -> None:
        """Forget the items of a process whose user has opted out, and have streams say so; counts stay."""
        with self._lock:
            self._items = deque(each for each in self._items if each.of != of)
            self._size_bytes = sum(len(each.line) for each in self._items)
            self._forgotten.append(Forgotten(self._last, pid))
        self._tell()

    def forgotten(self, begin: int = 0) -> list[Forgotten]:
        """Return what was dropped at a user's wish, from the entry number `begin` on."""
        with self._lock:
            return self._forgotten[begin:]

    def passed(self, seq: int) -> int:
        """Return the number of the last item after `seq` that was given up for want of room; `seq` where none was."""
        return max(seq, self._passed)

    def finish(self, summary: Mapping[str, object]) -> None:
        """Note that the source is read to its end."""
        self.summary = summary
        self._tell()

    def end(self, reason: str) -> None:
        """Note that nothing comes any more, for streams to end."""
        self.ended = reason
        self._tell()

    def after(self, seq: int, limit: int) -> list[Kept]:
        """Return the first items that come after `seq`, at most `limit`, oldest first."""
        with self._lock:
            start = bisect_right(self._items, seq, key=_seq)
            return [self._items[at] for at in range(start, min(len(self._items), start + limit))]

    def before(self, seq: int, limit: int) -> list[Kept]:
        """Return the last items that come before `seq`, at most `limit`, oldest first."""
        with self._lock:
            end = bisect_left(self._items, seq, key=_seq)
            return [self._items[at] for at in range(max(0, end - limit), end)]

    def item(self, seq: int) -> Kept | None:
        """Return one item, if it is still kept."""
        found = self.after(seq - 1, 1)
        return found[0] if found and found[0].seq == seq else None

    @property
    def first_seq(self) -> int:
        """The number of the oldest item that is kept; of the next one where none is."""
        with self._lock:
            return self._items[0].seq if self._items else self._last + 1

    @property
    def last_seq(self) -> int:
        """The number of the newest item."""
        return self._last

    def totals(self) -> dict[str, object]:
        """Return the counts of all that came."""
        with self._lock:
            kept, first = len(self._items), self._items[0].seq if self._items else self._last + 1
            return {**self._totals.form(), "kept": kept, "first_seq": first, "last_seq": self._last}

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, on any thread, when there is something new."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Call `listener` no more."""
        with suppress(ValueError):
            self._listeners.remove(listener)

    def _tell(self) -> None:
        for each in tuple(self._listeners):
            with suppress(RuntimeError):  # its event loop has ended
                each()


class Totals:
    """Counts by event, outcome and rule."""

    def __init__(self) -> None:
        self.items = self.operational = 0
        self._events: dict[str, Counter[str]] = {}
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._rules: Counter[tuple[str, str]] = Counter()

    def add(self, item: Mapping[str, Any]) -> None:
        """Count an item."""
        self.items += 1
        self.operational += item["side"] == "operational"
        self._outcomes.update(("dropped", reason) for reason in item["dropped"])
        for event in item["events"]:
            for sent in event["destinations"]:
                self._add_sent(sent)

    def _add_sent(self, sent: Mapping[str, Any]) -> None:
        outcome = "sent" if sent["sent"] else "dropped"
        name = sent["name"] or _OTHER
        if name not in self._events and len(self._events) >= MAX_NAMES:
            name = _OTHER
        self._events.setdefault(name, Counter())[outcome] += 1
        self._outcomes[outcome, sent["dropped"] or ""] += 1
        self._rules.update((each["rule"], each["action"]) for each in sent["changes"])

    def form(self) -> dict[str, object]:
        """Return the counts as an object of a `state`."""
        events = [
            {"name": name, "sent": counts["sent"], "dropped": counts["dropped"]}
            for name, counts in sorted(self._events.items(), key=lambda each: -each[1].total())
        ]
        return {
            "items": self.items,
            "operational": self.operational,
            "events": events,
            "outcomes": _listed(self._outcomes, "outcome", "reason"),
            "rules": _listed(self._rules, "rule", "action"),
        }


def _seq(kept: Kept) -> int:
    return kept.seq


def _listed(counts: Counter[tuple[str, str]], first: str, second: str) -> list[dict[str, object]]:
    return [{first: one, second: other, "count": count} for (one, other), count in counts.most_common()]
