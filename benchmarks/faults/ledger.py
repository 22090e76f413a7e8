"""What was emitted against what arrived, by uuid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.faults.driver import EVENT, uuid_of
from benchmarks.faults.tally import Tally
from otel_posthog.testing import CapturedEvent


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance of a run.

    Attributes:
        emitted: Events whose emitting call had returned.
        arrived: Those of them that PostHog has.
        duplicates: Events that PostHog would keep twice: the same uuid with another date, name or distinct id.
        repeats: Events that were sent more than once, which PostHog drops.
        lost_ms: From the first event of a process that is lost to its last one.
    """

    emitted: int
    arrived: int
    duplicates: int
    repeats: int
    lost_ms: float = 0.0

    @property
    def lost(self) -> int:
        """Emitted and not arrived."""
        return self.emitted - self.arrived


def balance(tally: Tally, events: Iterable[CapturedEvent]) -> Ledger:
    """Return the balance.

    Args:
        tally: What was emitted.
        events: What the server accepted.
    """
    ours = [each for each in events if each.event == EVENT]
    keys = {each.dedupe_key for each in ours}
    uuids = {each.uuid for each in ours}
    emitted = arrived = 0
    lost_ms = 0.0
    for slot, count in enumerate(tally.counts()):
        lost = [number for number in range(count) if uuid_of(slot, number) not in uuids]
        emitted, arrived = emitted + count, arrived + count - len(lost)
        if lost:
            lost_ms = max(lost_ms, (tally.emitted_at(slot, count - 1) - tally.emitted_at(slot, lost[0])) * 1000)
    return Ledger(emitted, arrived, len(keys) - len(uuids), len(ours) - len(keys), lost_ms)
