"""How long the sender tries: without end or as often as it is told, never in a storm, and no longer than it helps."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from clean import Delivering, clean

from otel_posthog.deliver import retry
from otel_posthog.deliver import service as module
from otel_posthog.deliver.batch import ACCEPTED_BEFORE_GROWTH, BatchSize
from otel_posthog.deliver.retry import BURST, PER_SECOND, RateLimit
from otel_posthog.deliver.sender import Sender
from otel_posthog.deliver.store import MemoryStore
from otel_posthog.model import CleanEvent
from otel_posthog.testing import FakePostHog, Fault


class OnDisk(MemoryStore):
    """Stands in for a spool: what is in it outlives the process, and what is refused is kept."""

    def __init__(self) -> None:
        super().__init__(10**6)
        self.dead: list[tuple[str, str]] = []
        self.is_open, self.maintained = True, 0

    @property
    def volatile(self) -> int:
        """None of it would be lost."""
        return 0

    def dead_letter(self, events: Sequence[CleanEvent], reason: str) -> None:
        """Remember which, and why."""
        self.dead += [(event.uuid[-2:], reason) for event in events]
        super().dead_letter(events, reason)

    def adopted(self, events: Sequence[CleanEvent]) -> int:
        """Those with a high number were left by another process."""
        return sum(event.uuid[-2:] >= "80" for event in events)

    def maintain(self) -> None:
        """Count."""
        self.maintained += 1

    def close(self) -> None:
        """Remember."""
        self.is_open = False


def on_disk(made: Delivering) -> tuple[Sender, OnDisk]:
    """Give the default destination's sender a store that outlives the process."""
    store = OnDisk()
    return made.keep_in(store), store


def test_max_attempts_ends_the_trying_and_keeps_a_dead_letter(fake_posthog: FakePostHog) -> None:
    """Three attempts and no more; what comes later has its own three."""
    fake_posthog.fault(Fault(status=503, times=3))
    with Delivering(fake_posthog.url, max_attempts=3) as made:
        _, store = on_disk(made)
        made.send(1)
        assert made.delivery.flush(30)
        assert store.dead == [("00", "attempts_exhausted")]
        assert made.counted("dropped") == {"attempts_exhausted": 1}
        assert len(fake_posthog.requests) == 3
        made.send(1, first=1)
        assert made.delivery.flush(30)
    assert [event.uuid[-1] for event in fake_posthog.events] == ["1"]


def test_max_attempts_does_not_give_up_on_a_wrong_key(fake_posthog: FakePostHog) -> None:
    """A setting that is to be corrected is waited for."""
    fake_posthog.fault(Fault(status=401, times=4))
    with Delivering(fake_posthog.url, max_attempts=1) as made:
        made.send(1)
        assert made.delivery.flush(30)
        assert made.counted("delivered") == {"": 1}


def test_what_is_refused_for_good_becomes_a_dead_letter_with_its_reason(fake_posthog: FakePostHog) -> None:
    """Alone after a 400, by its own result, or by a status that nothing can be done about."""
    fake_posthog.fault(Fault(results={"never": "drop"}))
    fake_posthog.fault(Fault(status=415))
    fake_posthog.fault(Fault(status=413))
    with Delivering(fake_posthog.url) as made:
        _, store = on_disk(made)
        for number, name in enumerate(("never", "e", "e")):
            made.delivery.submit(clean(number, name))
            assert made.delivery.flush(30)
    assert store.dead == [("00", "rejected"), ("01", "rejected"), ("02", "too_large")]
    assert len(store) == store.size_bytes == 0


def test_the_first_repeat_waits_a_tenth_of_a_second(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default no repeat comes sooner, also while a flush waits: it cuts only a wait that it finds."""
    monkeypatch.setattr(retry, "uniform", lambda least, _: least)
    fake_posthog.fault(Fault(status=503))
    with Delivering(fake_posthog.url, retry_initial_s=0.5, retry_max_s=30) as made:
        made.send(1)
        assert made.delivery.flush(30)
    first, second = (request.received_at for request in fake_posthog.requests)
    assert second - first >= 0.1


def test_the_backoff_doubles_up_to_its_ceiling_with_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """0.5, 1, 2, ... 30 s at most, from a fifth of that on."""
    asked: list[tuple[float, float]] = []

    def drawn(least: float, most: float) -> float:
        asked.append((least, most))
        return 0.0

    monkeypatch.setattr(retry, "uniform", drawn)
    with FakePostHog() as server:
        server.fault(Fault(status=503, times=8))
        with Delivering(server.url, retry_initial_s=0.5, retry_max_s=30) as made:
            made.send(1)
            assert made.delivery.flush(30)
    assert [most for _, most in asked] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [least for least, _ in asked] == [most / 5 for _, most in asked]


def test_the_halves_of_a_batch_do_not_flood_a_server_that_refuses_everything(fake_posthog: FakePostHog) -> None:
    """A short burst that finds one bad event in a hundred, then a few refusals a second."""
    fake_posthog.fault(Fault(status=400, times=None))
    with Delivering(fake_posthog.url) as made:
        made.send(100)
        assert not made.delivery.flush(1.0)
        assert BURST <= len(fake_posthog.requests) <= 1 + BURST + 2 * PER_SECOND


def test_the_rate_limit_lets_a_burst_through_and_recovers() -> None:
    """Sixteen at once, four a second after that, sixteen again after some seconds of rest."""
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    assert [limit.delay_s() for _ in range(18)] == [0.0] * 16 + [0.25, 0.5]
    now[0] = 60.0
    assert [limit.delay_s() for _ in range(17)] == [0.0] * 16 + [0.25]


def test_an_exit_leaves_what_is_on_disk_to_the_next_process(fake_posthog: FakePostHog) -> None:
    """With a server that fails, one repeat, and no five seconds of waiting; nothing is dropped."""
    fake_posthog.fault(Fault(status=503, times=None))
    with Delivering(fake_posthog.url, retry_max_s=60, retry_initial_s=0.2) as made:
        _, store = on_disk(made)
        made.send(3)
        started = time.monotonic()
        assert not made.delivery.flush(30, is_leaving=True)
        assert not made.delivery.shutdown(30)
        assert time.monotonic() - started < 15
        assert (store.is_open, made.counted("dropped"), made.delivery.volatile) == (False, {}, 0)


def test_an_exit_uses_its_time_where_the_events_would_be_lost(fake_posthog: FakePostHog) -> None:
    """In memory, the sender tries until its deadline."""
    fake_posthog.fault(Fault(status=503, times=8))
    with Delivering(fake_posthog.url) as made:
        made.send(3)
        assert made.delivery.flush(10, is_leaving=True)
        assert len(fake_posthog.unique_events) == 3


def test_a_flush_does_not_wait_for_what_another_process_left(fake_posthog: FakePostHog) -> None:
    """Adopted events share the batch, and are not counted for the flush of this process."""
    with Delivering(fake_posthog.url) as made:
        sender, store = on_disk(made)
        for number in range(0x80, 0x90):
            store.put(clean(number))
        made.send(5)
        assert made.delivery.flush(30)
        assert sender.outstanding == 0
        assert len(fake_posthog.wait_for(21)) == 21
        assert store.maintained > 0


def test_a_started_sender_delivers_what_another_process_left(fake_posthog: FakePostHog) -> None:
    """Without any event of its own."""
    with Delivering(fake_posthog.url) as made:
        _, store = on_disk(made)
        store.put(clean(0x80))
        made.delivery.start()
        fake_posthog.wait_for(1)


def test_what_is_discarded_is_sent_no_more(fake_posthog: FakePostHog) -> None:
    """Neither what waits nor the batch under way; a flush has nothing left to wait for; what comes after is sent."""
    fake_posthog.fault(Fault(status=503, times=3))
    with Delivering(fake_posthog.url, retry_initial_s=0.3, retry_max_s=0.3) as made:
        made.send(150)
        assert fake_posthog.wait_until(lambda: len(fake_posthog.requests) == 1, 2)
        assert made.delivery.discard("opted_out") == 150
        assert made.delivery.flush(0.05)
        fake_posthog.clear_faults()
        made.send(1, first=200)
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {"opted_out": 150}
    assert [event.uuid[-2:] for event in fake_posthog.events] == ["c8"]


def test_capture_v1_is_tried_again_some_time_after_a_404(
    fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy may have said it in passing."""
    monkeypatch.setattr(module, "V1_AGAIN_S", 0.2)
    fake_posthog.fault(Fault(status=404))
    with Delivering(fake_posthog.url) as made:
        made.send(1)
        assert made.delivery.flush(30)
        time.sleep(0.25)
        made.send(1, first=1)
        assert made.delivery.flush(30)
    assert [request.path for request in fake_posthog.requests] == [
        "/i/v1/analytics/events",
        "/batch/",
        "/i/v1/analytics/events",
    ]


def test_a_limit_of_the_servers_is_learnt(fake_posthog: FakePostHog) -> None:
    """After those of the first batch there are no refusals any more; nothing is lost and nothing sent twice."""
    fake_posthog.max_body_bytes = 3000
    with Delivering(fake_posthog.url, flush_interval_s=0.01) as made:
        for first in range(0, 1000, 100):
            made.send(100, first=first)
        assert made.delivery.flush(30)
    assert len(fake_posthog.events) == len(fake_posthog.unique_events) == 1000
    refused = [number for number, request in enumerate(fake_posthog.requests) if request.status == 413]
    assert refused[-1] < 32 < len(fake_posthog.requests) - 50


def test_the_learnt_limit_grows_again_in_time() -> None:
    """A server whose limit was raised gets full batches again."""
    size = BatchSize(1000)
    size.refused(600, is_too_large=False)
    assert size.max_bytes == 1000
    size.refused(600, is_too_large=True)
    size.refused(10_000, is_too_large=True)
    assert size.max_bytes == 300
    for _ in range(2 * ACCEPTED_BEFORE_GROWTH):
        size.accepted()
    assert size.max_bytes == 1000
    size.refused(1, is_too_large=True)
    assert size.max_bytes == 1
