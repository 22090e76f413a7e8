"""The spool against a model of it, with kills, power cuts and full disks in between."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from pathlib import Path
from random import Random
from unittest import mock

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from page_cache import PageCache

from otel_posthog.deliver.spool import Spool, owner
from otel_posthog.health import DROPPED, Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy

ROOT = Path("/spool")
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class SpoolModel(RuleBasedStateMachine):
    """What was put, what came out, what was acknowledged; segments of a few events, and syncing done at once."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = ExitStack()
        for name, value in (
            ("writer.start_daemon", lambda *_: None),
            ("disk_state.RETRY_S", 0.0),
            ("spool.MAINTAIN_S", 0.0),
            ("sources.MAX_ADOPTED", 99),
        ):
            self.patches.enter_context(mock.patch(f"otel_posthog.deliver.spool.{name}", value))
        self.files, self.health, self.number = PageCache(), Health(), 0
        self.waiting: dict[str, CleanEvent] = {}
        self.taken: dict[str, CleanEvent] = {}
        self.acknowledged: set[str] = set()
        self.in_memory: set[str] = set()
        self.may_be_lost: set[str] = set()
        self.may_repeat: set[str] = set()
        self.spool = self.started()

    def started(self) -> Spool:
        """Start a process."""
        owner._held.clear()
        return Spool(ROOT, "default", DeliveryPolicy(), self.health, files=self.files, max_segment_bytes=2500)

    def restarted(self) -> None:
        """Start the next process: what was not acknowledged waits again."""
        self.waiting = {**self.taken, **self.waiting}
        self.taken = {}
        self.spool = self.started()

    @rule(size=st.sampled_from([0, 10, 400, 700, 3000]))
    def put(self, size: int) -> None:
        """Put an event."""
        self.number += 1
        event = CleanEvent(f"u{self.number}", b"%d:" % self.number + b"x" * size)
        assert self.spool.put(event)
        self.waiting[event.uuid] = event

    @rule(sizes=st.lists(st.sampled_from([10, 400, 700]), min_size=2, max_size=6))
    def put_all(self, sizes: list[int]) -> None:
        """Put events in one go."""
        events = []
        for size in sizes:
            self.number += 1
            events.append(CleanEvent(f"u{self.number}", b"%d:" % self.number + b"x" * size))
        assert self.spool.put_all(events) == len(events)
        self.waiting.update((each.uuid, each) for each in events)

    @precondition(lambda self: self.spool._sources.own is not None)
    @rule()
    def forget_what_is_fresh(self) -> None:
        """Let events that are on disk not be in memory any more, as where too many wait."""
        own = self.spool._sources.own
        assert own is not None
        own.writer.fresh.clear()

    @rule(count=st.integers(1, 8))
    def take(self, count: int) -> None:
        """Take a batch: each event is one that waits, byte for byte, in the order in which it was put."""
        expects = bool(len(self.spool))
        batch = self.spool.take(count, 10**6)
        if not self.may_be_lost and not self.may_repeat:
            assert bool(batch) == expects
        for event in batch:
            if event.uuid in self.acknowledged:
                assert event.uuid in self.may_repeat
                continue
            assert self.waiting.pop(event.uuid) == event
            self.taken[event.uuid] = event  # the object itself: that is what is given back

    @precondition(lambda self: self.taken)
    @rule(seed=st.integers(0, 99), count=st.integers(1, 5), buries=st.booleans())
    def acknowledge(self, seed: int, count: int, *, buries: bool) -> None:
        """Acknowledge some of what was taken, in any order."""
        uuids = Random(seed).sample(sorted(self.taken), min(count, len(self.taken)))
        events = [self.taken.pop(uuid) for uuid in uuids]
        if buries:
            self.spool.dead_letter(events, "rejected")
        else:
            self.spool.acknowledge(events)
        self.acknowledged.update(uuids)

    @rule()
    def maintain(self) -> None:
        """Let the spool tend itself."""
        self.spool.maintain()

    @rule()
    def close(self) -> None:
        """End the process as it should be: what memory has goes to disk, where there is room."""
        self.spool.close()
        self.lose(self.memory())
        self.files.kill()
        self.restarted()

    @rule()
    def kill(self) -> None:
        """Kill the process: what was put is on disk, what was acknowledged does not come again."""
        self.lose(self.memory())
        self.files.kill()
        self.restarted()

    @rule(seed=st.integers(0, 999))
    def lose_power(self, seed: int) -> None:
        """Cut the power: what was synced is there, of the rest some, and nothing that was never put."""
        self.lose(self.memory())
        chance = Random(seed)
        self.files.lose_power(lambda: chance.random() < 0.5)
        self.may_be_lost |= self.waiting.keys() | self.taken.keys()
        self.may_repeat |= self.acknowledged
        self.files.error = self.files.room_bytes = None
        self.restarted()

    @rule(room=st.sampled_from([None, 0, 300, 2000]))
    def fill_the_disk(self, room: int | None) -> None:
        """Leave a little room on the disk, or none, or enough."""
        self.files.room_bytes = room

    @rule(fails=st.booleans())
    def break_the_disk(self, *, fails: bool) -> None:
        """Have the disk fail at everything that writes, or work again."""
        self.files.error = OSError(errno.EIO, os.strerror(errno.EIO)) if fails else None

    def memory(self) -> set[str]:
        """Return what the spool could not write."""
        overflow = self.spool._overflow
        return {event.uuid for event in (*overflow._events, *overflow._taken.values())}

    def lose(self, uuids: set[str]) -> None:
        """Note that memory is gone."""
        for uuid in uuids:
            self.waiting.pop(uuid, None)
            self.taken.pop(uuid, None)

    @invariant()
    def counts_are_right(self) -> None:
        """Where nothing can have been lost, the spool knows how many events wait."""
        if not self.may_be_lost and not self.may_repeat:
            assert len(self.spool) == len(self.waiting)
            assert self.health.total(DROPPED) == 0

    def teardown(self) -> None:
        """Let it work, take all: what had to survive comes out."""
        self.files.error = self.files.room_bytes = None
        self.spool.maintain()
        for _ in range(1000):
            if not len(self.spool):
                break
            self.take(100)
            self.spool.acknowledge([each for each, _, _ in tuple(self.spool._sources.taken.values())])
            self.spool.acknowledge([*self.spool._overflow._taken.values()])
            self.taken.clear()
        left = self.waiting.keys() - self.may_be_lost
        self.patches.close()
        assert not len(self.spool)
        assert left == set()


TestSpoolModel = SpoolModel.TestCase
TestSpoolModel.settings = settings(
    # Without shrinking: a failure prints its steps, and shrinking such machines takes minutes.
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
