"""The sender's thread: it never sleeps past an event, never ends by accident, and a flush waits for no newcomer."""

from __future__ import annotations

import threading
import time

import pytest
from clean import Delivering, clean

from otel_posthog.deliver.sender import Sender
from otel_posthog.deliver.store import MemoryStore
from otel_posthog.deliver.transport import HttpTransport
from otel_posthog.errors import Guard
from otel_posthog.model import CleanEvent
from otel_posthog.testing import FakePostHog, Fault


@pytest.fixture
def _as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is counted, as it is outside this project's tests."""
    monkeypatch.setattr(Guard, "reraise", False)


def sender_of(made: Delivering) -> Sender:
    """Return the sender of the default destination."""
    return made.delivery._senders["default"]


class SlowStore(MemoryStore):
    """Gives other threads the time to run before an event is in."""

    def put(self, event: CleanEvent) -> bool:
        """Keep `event`, late."""
        time.sleep(0.05)
        return super().put(event)


class FailingStore(MemoryStore):
    """Fails to take, as a full disk might, `failures` times."""

    failures = 1

    def take(self, max_events: int, max_bytes: int) -> list[CleanEvent]:
        """Fail, or return a batch.

        Raises:
            OSError: While failures are left.
        """
        if self.failures:
            self.failures -= 1
            raise OSError("disk")
        return super().take(max_events, max_bytes)


def test_an_idle_thread_does_not_sleep_past_an_event_just_put(fake_posthog: FakePostHog) -> None:
    """However slowly an event gets in, the thread that waits for it goes to work; not 30 s later."""
    with Delivering(fake_posthog.url) as made:
        made.keep_in(SlowStore(10**6))
        made.send(1)
        fake_posthog.wait_for(1)
        time.sleep(0.1)
        made.send(1, first=1)
        fake_posthog.wait_for(2, timeout_s=15)


def test_a_flush_waits_for_no_newcomer(fake_posthog: FakePostHog) -> None:
    """Under steady load a flush ends once what was there before is delivered."""
    fake_posthog.fault(Fault(delay_s=0.05, times=None))
    over = threading.Event()
    with Delivering(fake_posthog.url) as made:

        def feed() -> None:
            number = 0
            while not over.wait(0.002):
                made.send(1, first=number)
                number += 1

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            fake_posthog.wait_for(20)
            before = made.delivery.size_bytes
            started = time.monotonic()
            assert made.delivery.flush(30)
            assert time.monotonic() - started < 15
        finally:
            over.set()
            feeder.join()
        assert before > 0


def test_a_flush_does_not_end_while_one_of_its_events_is_to_be_retried(fake_posthog: FakePostHog) -> None:
    """Later events that share its batch and are delivered first do not count for it."""
    fake_posthog.fault(Fault(delay_s=0.3))
    fake_posthog.fault(Fault(results={"again": "retry"}, times=4))
    flushed: list[tuple[bool, int]] = []
    with Delivering(fake_posthog.url) as made:

        def flush() -> None:
            flushed.append((made.delivery.flush(30), len(fake_posthog.named("again"))))

        made.send(1)
        time.sleep(0.1)
        made.delivery.submit(clean(1, "again"))
        flusher = threading.Thread(target=flush)
        flusher.start()
        time.sleep(0.05)
        made.send(50, first=2)
        flusher.join()
    assert flushed == [(True, 1)]
    assert len(fake_posthog.unique_events) == 52


@pytest.mark.usefixtures("_as_in_production")
def test_a_failing_store_ends_no_thread(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted and tried again; nothing is lost, and there is no busy loop."""
    monkeypatch.setattr("otel_posthog.deliver.sender.FAULT_PAUSE_S", 0.1)
    with Delivering(fake_posthog.url) as made:
        store = FailingStore(10**6)
        store.failures = 3
        made.keep_in(store)
        started = time.monotonic()
        made.send(2)
        fake_posthog.wait_for(2, timeout_s=15)
        assert time.monotonic() - started >= 0.3
        assert made.counted("fault") == {"deliver:OSError": 3}
        assert made.delivery.flush(30)


@pytest.mark.usefixtures("_as_in_production")
def test_a_thread_that_died_is_replaced(fake_posthog: FakePostHog) -> None:
    """The next event starts another."""
    with Delivering(fake_posthog.url) as made:
        dead = threading.Thread(target=int)
        dead.start()
        dead.join()
        sender_of(made)._thread = dead
        made.send(1)
        fake_posthog.wait_for(1, timeout_s=15)


@pytest.mark.usefixtures("_as_in_production")
def test_a_listener_that_fails_costs_no_event(fake_posthog: FakePostHog) -> None:
    """Metrics of an attempt are not the attempt."""
    fake_posthog.fault(Fault(status=503))

    def fails(_: float, __: str) -> None:
        raise ZeroDivisionError

    with Delivering(fake_posthog.url) as made:
        made.health.on_delivery(fails)
        made.send(3)
        assert made.delivery.flush(30)
        assert made.counted("delivered") == {"": 3}
        assert made.counted("dropped") == {}
        assert made.counted("fault") == {"delivery_listener:ZeroDivisionError": 2}


@pytest.mark.usefixtures("_as_in_production")
def test_a_transport_that_fails_in_its_own_way_is_tried_again(
    fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events are not to blame for it: none is dropped."""
    with Delivering(fake_posthog.url) as made, monkeypatch.context() as patched:

        def fails(*_: object) -> None:
            raise ZeroDivisionError

        patched.setattr(HttpTransport, "post", fails)
        made.send(3)
        assert not made.delivery.flush(0.2)
        patched.undo()
        monkeypatch.setattr(Guard, "reraise", False)
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {}
        assert made.counted("delivered") == {"": 3}


@pytest.mark.usefixtures("_as_in_production")
def test_an_event_that_cannot_be_written_takes_no_neighbour_along() -> None:
    """A body that is no JSON fails in the older format: it alone is dropped."""
    with FakePostHog(v1=False) as server, Delivering(server.url) as made:
        for number in range(9):
            made.delivery.submit(clean(number) if number != 4 else CleanEvent(clean(4).uuid, b"{"))
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {"error_in_deliver": 1}
        assert len(server.unique_events) == 8


@pytest.mark.usefixtures("_as_in_production")
def test_a_store_that_refuses_with_an_error_is_never_seen_by_the_caller(fake_posthog: FakePostHog) -> None:
    """`submit` never raises, and a flush does not wait for what never got in."""

    class Broken(MemoryStore):
        def put(self, event: CleanEvent) -> bool:
            raise OSError("disk")

    with Delivering(fake_posthog.url) as made:
        made.keep_in(Broken(10**6))
        made.send(2)
        assert made.counted("dropped") == {"error_in_deliver": 2}
        assert made.delivery.flush(30)


def test_an_event_for_nobody_is_counted(fake_posthog: FakePostHog) -> None:
    """A destination without a key has no sender."""
    with Delivering(fake_posthog.url) as made:
        made.delivery.submit(clean(1, destination="elsewhere"))
        assert made.counted("dropped") == {"no_destination": 1}


def test_a_redirect_loses_nothing(fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture) -> None:
    """A host that has moved is a setting to correct: events wait, a line says so."""
    fake_posthog.fault(Fault(status=308))
    with Delivering(fake_posthog.url) as made:
        made.send(5)
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {}
    assert "HTTP 308" in caplog.text
    assert len(fake_posthog.unique_events) == 5


def test_a_flush_cuts_a_wait_short_once(fake_posthog: FakePostHog) -> None:
    """What waits gets one try at once, and not a storm of them while PostHog still refuses."""
    fake_posthog.api_key = "phc_other"
    with Delivering(fake_posthog.url, retry_max_s=60.0) as made:
        made.send(1)
        assert fake_posthog.wait_until(lambda: len(fake_posthog.requests) == 1, 2)
        time.sleep(0.1)
        assert not made.delivery.flush(0.3)
        assert len(fake_posthog.requests) == 2
        fake_posthog.api_key = "phc_test"
        assert made.delivery.flush(30)


def test_a_thread_that_starts_during_a_callers_flush_waits_its_turn(
    fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one sends at a time, no batch goes twice, and the thread is there for what comes later."""

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    fake_posthog.fault(Fault(delay_s=0.3))
    with Delivering(fake_posthog.url) as made:
        flusher = threading.Thread(target=made.delivery.flush, args=(5,))
        with monkeypatch.context() as patched:
            patched.setattr("otel_posthog.deliver.sender.Sender._start", lambda _: None)
            made.send(1)
        flusher.start()
        time.sleep(0.1)
        made.send(1, first=1)
        flusher.join()
        made.send(1, first=2)
        fake_posthog.wait_for(3, timeout_s=15)
        assert made.delivery.flush(30)
    first, second, _ = (request.received_at for request in fake_posthog.requests)
    assert second - first >= 0.3
    assert fake_posthog.duplicates == 0


def test_a_callers_flush_keeps_its_deadline_while_it_halves(fake_posthog: FakePostHog) -> None:
    """Where there is no thread, the caller stops at its deadline, also between requests that succeed."""
    fake_posthog.fault(Fault(status=400, delay_s=0.01, times=None))
    with Delivering(fake_posthog.url) as made:
        sender = sender_of(made)
        for number in range(100):
            sender._put([clean(number)])
        started = time.monotonic()
        assert not made.delivery.flush(0.3)
        assert time.monotonic() - started < 5


def test_a_callers_flush_keeps_its_deadline_while_the_server_hangs(fake_posthog: FakePostHog) -> None:
    """Where there is no thread, the request itself gets no more time than the caller has."""
    fake_posthog.fault(Fault(hang_s=60, times=None))
    with Delivering(fake_posthog.url, request_timeout_s=15) as made:
        sender_of(made)._put([clean(1)])
        started = time.monotonic()
        assert not made.delivery.flush(0.3)
        assert time.monotonic() - started < 5


def test_a_second_shutdown_after_a_hang_delivers_what_is_left(fake_posthog: FakePostHog) -> None:
    """What the first could not deliver in its time is still there for the next."""
    fake_posthog.fault(Fault(hang_s=60))
    with Delivering(fake_posthog.url, request_timeout_s=0.5) as made:
        made.send(3)
        assert not made.delivery.shutdown(0.2)
        assert made.delivery.shutdown(30)
    assert len(fake_posthog.unique_events) == 3


def test_an_idle_sender_uses_no_time(fake_posthog: FakePostHog) -> None:
    """Once everything is delivered the thread sleeps."""
    with Delivering(fake_posthog.url) as made:
        made.send(5)
        assert made.delivery.flush(30)
        cycles = 0
        send = sender_of(made)._health.report_if_due

        def counted() -> None:
            nonlocal cycles
            cycles += 1
            send()

        sender_of(made)._health.report_if_due = counted  # type: ignore[method-assign]
        time.sleep(0.3)
        assert cycles <= 1
