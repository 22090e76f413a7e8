"""Counts of what became of events, and one log line about losses, at most once a minute and at the end.

Any thread counts; the worker calls `report_if_due`, whoever ends `report`. A count has an outcome and a reason, both
fixed identifiers, so that it can be a metric attribute of bounded cardinality. No value of any event ever gets here.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from otel_posthog.logger import own_logger
from otel_posthog.threads import RLock

_log = own_logger()

# One line a minute: rare enough not to flood a log in an outage, often enough to be seen while it lasts.
REPORT_INTERVAL_S = 60.0

RECEIVED, DELIVERED, DROPPED, RETRIED = "received", "delivered", "dropped", "retried"
PREVIEWED = "previewed"
REPAIRED, FAULT = "repaired", "fault"
ADOPTED, DEAD_LETTERED, STORAGE_ERROR = "adopted", "dead_lettered", "storage_error"

WANTED_DROPS = frozenset({"consent", "opted_out", "exceptions_off", "person_event", "derive_once", "derive_cap"})
"""Drops that the policy, the identity mode or the user has decided: they are logged, but not as warnings."""

MAX_POLICIES = 20
"""Revisions of the policy that are counted by name; what is counted under a further one is `other`'s."""

MAX_NAMED = 200
"""Distinct names of events with their routes and destinations; a further one is counted as `other`."""

MAX_REASONS = 200
"""Distinct (outcome, reason) pairs; a further one is counted as `other`, so that cardinality stays bounded.
The same for pairs of (rule, action)."""


class Level(NamedTuple):
    """How full a spool is.

    Attributes:
        size_bytes: What its files take.
        events: How many wait or are under way.
        oldest_age_s: How long the oldest of them has waited; 0 where none does.
    """

    size_bytes: int
    events: int
    oldest_age_s: float


class Named(NamedTuple):
    """What events are counted by where their names are.

    Attributes:
        name: As it is sent.
        route: The template of the route that the event is of; empty where it is of none.
        destination: Where it is sent.
    """

    name: str
    route: str
    destination: str


class Health:
    """Thread-safe counters of one pipeline.

    Args:
        clock: Monotonic seconds; tests pass their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Reentrant: a signal handler or a finalizer may count while this thread is inside.
        self._lock = RLock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._reported: Counter[tuple[str, str]] = Counter()
        self._actions: Counter[tuple[str, str]] = Counter()
        # By revision of the policy: what was counted under those before, and what of the counts that is.
        self._before: dict[str, Counter[tuple[str, str]]] = {}
        self._at_change: Counter[tuple[str, str]] = Counter()
        self._policy = ""
        self._gauges: dict[str, Callable[[], float]] = {}
        self._spools: dict[str, Callable[[], Level]] = {}
        self._durations: list[Callable[[float, str], None]] = []
        self._latencies: list[Callable[[float, str], None]] = []
        self._named: Counter[Named] = Counter()
        self._logged_repairs: set[str] = set()
        self._next_report = clock() + REPORT_INTERVAL_S

    def count(self, outcome: str, reason: str = "", amount: int = 1) -> None:
        """Add `amount` to the count of `outcome` for `reason`."""
        with self._lock:
            _add(self._counts, (outcome, reason), (outcome, "other"), amount)

    def count_actions(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Count what privacy did to one event.

        Args:
            entries: (key, rule, action), as a receipt has them; the keys, of which there is no end, are not counted.
        """
        with self._lock:
            for _, rule, action in entries:
                _add(self._actions, (rule, action), ("other", action), 1)

    def count_named(self, named: Named) -> None:
        """Count an event that is to be sent by its name, which the policy has to allow."""
        with self._lock:
            is_new = named not in self._named and len(self._named) >= MAX_NAMED
            key = Named("other", "", named.destination) if is_new else named
            self._named.setdefault(key, 0)
            self._named[key] += 1

    def named(self) -> dict[Named, int]:
        """Return how many events of each name, route and destination there were since start."""
        with self._lock:
            return dict(self._named)

    def fault(self, place: str, error_type: str) -> None:
        """Count an error of ours that was kept out of the host app."""
        self.count(FAULT, f"{place}:{error_type}")

    def snapshot(self) -> dict[tuple[str, str], int]:
        """Return (outcome, reason) -> count since start."""
        with self._lock:
            return dict(self._counts)

    def use_policy(self, revision: str) -> None:
        """Count under another revision of the policy from now on."""
        with self._lock:
            if revision != self._policy:
                self._close_policy()
                is_new = revision not in self._before and len(self._before) >= MAX_POLICIES
                self._policy = "other" if is_new else revision

    def by_policy(self) -> dict[tuple[str, str, str], int]:
        """Return (outcome, reason, revision of the policy) -> count since start."""
        with self._lock:
            self._close_policy()
            return {(*key, revision): n for revision, counts in self._before.items() for key, n in counts.items()}

    def _close_policy(self) -> None:
        """Add what was counted since the last call to the policy in force."""
        news = self._counts - self._at_change
        if news:
            self._before.setdefault(self._policy, Counter()).update(news)
            self._at_change = self._counts.copy()

    def actions(self) -> dict[tuple[str, str], int]:
        """Return (rule, action) -> how often privacy did that to a property since start."""
        with self._lock:
            return dict(self._actions)

    def total(self, outcome: str) -> int:
        """Return the count of `outcome` over all reasons."""
        return sum(amount for (name, _), amount in self.snapshot().items() if name == outcome)

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Register `read` as the current value of `name` (`queue.size`, ...), for the metrics."""
        with self._lock:
            self._gauges[name] = read

    def read_gauges(self) -> Mapping[str, float]:
        """Return the current value of every gauge."""
        with self._lock:
            gauges = dict(self._gauges)
        return {name: read() for name, read in gauges.items()}

    def spool(self, destination: str, read: Callable[[], Level]) -> None:
        """Register `read` as how full the spool of `destination` is, for the metrics."""
        with self._lock:
            self._spools[destination] = read

    def read_spools(self) -> Mapping[str, Level]:
        """Return how full each spool is, by destination."""
        with self._lock:
            spools = dict(self._spools)
        return {destination: read() for destination, read in spools.items()}

    def on_delivery(self, listener: Callable[[float, str], None]) -> None:
        """Register `listener(duration_s, outcome)`, called after every attempt to send a batch."""
        with self._lock:
            self._durations.append(listener)

    def delivery(self, duration_s: float, outcome: str) -> None:
        """Call the listeners with how long one attempt to send took and how it ended."""
        for listener in tuple(self._durations):
            listener(duration_s, outcome)

    def on_latency(self, listener: Callable[[float, str], None]) -> None:
        """Register `listener(age_s, destination)`, called for each batch that has arrived."""
        with self._lock:
            self._latencies.append(listener)

    def latency(self, age_s: float, destination: str) -> None:
        """Call the listeners with how old the oldest event of a batch was as it arrived."""
        for listener in tuple(self._latencies):
            listener(age_s, destination)

    def report_if_due(self) -> None:
        """Report, at most once a minute."""
        if self._clock() >= self._next_report:
            self.report()

    def report(self) -> None:
        """Log what was dropped or went wrong since the last report: losses at WARNING, what was wanted at INFO.

        Each kind of repair is logged once, when it first occurs: it is a mistake in the app, and goes on.
        """
        with self._lock:
            self._next_report = self._clock() + REPORT_INTERVAL_S
            news = self._counts - self._reported
            self._reported = self._counts.copy()
        wanted = {each: n for each, n in news.items() if each[0] == DROPPED and each[1] in WANTED_DROPS}
        # Outside the lock: a logging handler may lead back to `count`.
        for level, counts in ((logging.INFO, wanted), (logging.WARNING, news - Counter(wanted))):
            line = summary(counts)
            if line:
                _log.log(level, "%s", line)
        self._log_repairs({reason: n for (name, reason), n in news.items() if name == REPAIRED})

    def _log_repairs(self, news: Mapping[str, int]) -> None:
        new = sorted(news.keys() - self._logged_repairs)
        self._logged_repairs.update(new)
        if new:
            listed = ", ".join(f"{reason} {news[reason]}" for reason in new)
            _log.warning("product events are sent, but not as they were given (logged once): %s", listed)

    def reset_after_fork(self) -> None:
        """Start the child of a fork at zero, with a lock that no vanished thread holds."""
        self._lock = RLock()
        self._counts, self._reported, self._actions = Counter(), Counter(), Counter()
        self._before, self._at_change, self._named = {}, Counter(), Counter()


def _add(counts: Counter[tuple[str, str]], key: tuple[str, str], other: tuple[str, str], amount: int) -> None:
    """Add to the count of `key`, or of `other` where there are too many keys already."""
    key = key if key in counts or len(counts) < MAX_REASONS else other
    # No signal is heard between reading a count that is there and writing it: only where a function is called.
    counts.setdefault(key, 0)
    counts[key] += amount


def summary(counts: Mapping[tuple[str, str], int]) -> str:
    """Return one sentence on the losses and faults in `counts`, or an empty string where there are none."""
    parts = []
    for outcome, words in ((DROPPED, "dropped"), (FAULT, "internal errors")):
        found = sorted((reason, n) for (name, reason), n in counts.items() if name == outcome)
        if found:
            listed = ", ".join(f"{reason} {n}" for reason, n in found)
            parts.append(f"{sum(n for _, n in found)} {words} ({listed})")
    return f"product events since the last report: {'; '.join(parts)}" if parts else ""
