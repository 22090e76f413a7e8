"""What was emitted against what arrived, by uuid."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.faults.driver import EVENT, PER_PROCESS
from otel_posthog.testing import CapturedEvent


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance of a run.

    Attributes:
        emitted: Events whose emitting call had returned.
        arrived: Those of them that PostHog has.
        duplicates: Events that PostHog would keep twice: the same uuid with another date, name or distinct id.
        repeats: Events that were sent more than once, which PostHog drops.
    """

    emitted: int
    arrived: int
    duplicates: int
    repeats: int

    @property
    def lost(self) -> int:
        """Emitted and not arrived."""
        return self.emitted - self.arrived


def balance(emitted: Iterable[int], events: Iterable[CapturedEvent]) -> Ledger:
    """Return the balance.

    Args:
        emitted: The count of each process.
        events: What the server accepted.
    """
    expected = {str(uuid.UUID(int=slot * PER_PROCESS + n)) for slot, count in enumerate(emitted) for n in range(count)}
    ours = [each for each in events if each.event == EVENT]
    keys = {each.dedupe_key for each in ours}
    uuids = {each.uuid for each in ours}
    return Ledger(len(expected), len(expected & uuids), len(keys) - len(uuids), len(ours) - len(keys))
