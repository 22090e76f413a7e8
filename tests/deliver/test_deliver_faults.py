"""Delivery through real HTTP while the other side fails in every way it can."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

import pytest
from clean import Delivering, clean, policy

from otel_posthog.deliver import Delivery
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.testing import FakePostHog, Fault


def test_events_arrive_once_and_in_batches(fake_posthog: FakePostHog) -> None:
    """250 events are three requests of at most 100, none lost, none twice."""
    with Delivering(fake_posthog.url) as made:
        made.send(250)
        assert made.delivery.flush(30)
        assert len(fake_posthog.events) == len(fake_posthog.unique_events) == 250
        assert made.counted("delivered") == {"": 250}
        assert made.delivery.size_bytes == 0
    batches = [request.body.count(b'"uuid"') for request in fake_posthog.requests]
    assert max(batches) <= 100
    assert sum(batches) == 250


@pytest.mark.alone
def test_events_that_trickle_in_share_a_request(fake_posthog: FakePostHog) -> None:
    """An event that wakes the idle sender waits for others like any: no request for each."""
    with Delivering(fake_posthog.url, flush_interval_s=0.3) as made:
        took_s = 0.0
        for round_number in range(2):
            started = time.monotonic()
            for number in range(20):
                made.send(1, first=20 * round_number + number)
                time.sleep(0.005)
            took_s += time.monotonic() - started
            fake_posthog.wait_for(20 * (round_number + 1))
            time.sleep(0.1)
    # One more for each interval that a slow machine takes over the sending.
    assert len(fake_posthog.requests) <= 4 + took_s // 0.3


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, times=3),
        Fault(status=500, times=2),
        Fault(status=429, retry_after="0.2", times=2),
        Fault(status=408, times=1),
        Fault(drop_connection=True, times=3),
        Fault(hang_s=30, times=1),
    ],
    ids=["503", "500", "429", "408", "reset", "hang"],
)
def test_what_passes_is_waited_for(fault: Fault, fake_posthog: FakePostHog) -> None:
    """A server that fails for a while loses no event and gets none twice."""
    fake_posthog.fault(fault)
    # A slow machine's answer must not be taken for none: that would be a repeat.
    with Delivering(fake_posthog.url, request_timeout_s=2.0 if fault.hang_s else 15.0) as made:
        made.send(20)
        fake_posthog.wait_for(20)
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {}
    assert fake_posthog.duplicates == 0


def test_an_outage_is_waited_for(fake_posthog: FakePostHog) -> None:
    """Refused connections count as retries; when PostHog is back, everything arrives."""
    fake_posthog.pause()
    with Delivering(fake_posthog.url) as made:
        made.send(30)
        assert not made.delivery.flush(0.3)
        fake_posthog.resume()
        assert made.delivery.flush(30)
        assert sum(made.counted("retried").values()) >= 30
    assert len(fake_posthog.unique_events) == 30


def test_retry_after_is_a_floor(fake_posthog: FakePostHog) -> None:
    """The next attempt comes no earlier than the server asked, also while a flush hurries."""
    fake_posthog.fault(Fault(status=429, retry_after="0.6"))
    with Delivering(fake_posthog.url) as made:
        made.send(1)
        assert made.delivery.flush(30)
    first, second = (request.received_at for request in fake_posthog.requests)
    assert second - first >= 0.6


def test_a_lost_answer_is_a_repeat_that_posthog_recognises(fake_posthog: FakePostHog) -> None:
    """Accepted but not answered: sent again with the same uuid, name and timestamp, so that one is kept."""
    fake_posthog.fault(Fault(lose_answer=True, times=2))
    with Delivering(fake_posthog.url) as made:
        made.send(10)
        assert made.delivery.flush(30)
    assert len(fake_posthog.events) == 30
    assert len(fake_posthog.unique_events) == 10
    ids = {request.headers["posthog-request-id"] for request in fake_posthog.requests}
    assert len(ids) == 1
    assert [request.headers["posthog-attempt"] for request in fake_posthog.requests] == ["1", "2", "3"]


def test_one_event_that_is_refused_takes_no_neighbour_along(fake_posthog: FakePostHog) -> None:
    """A 400 for the batch is halved until the bad event stands alone; it is dropped and counted, 99 arrive."""
    bad = clean(50)
    poisoned = type(bad)(bad.uuid, bad.body.replace(b'"options":{', b'"options":{"nonsense":1,'))
    with Delivering(fake_posthog.url) as made:
        for number in range(100):
            made.delivery.submit(poisoned if number == 50 else clean(number))
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {"rejected": 1}
    assert len(fake_posthog.unique_events) == 99
    assert fake_posthog.duplicates == 0


def test_a_body_that_is_too_large_is_halved() -> None:
    """A 413 splits the batch; what is too large alone is dropped, the rest arrives."""
    with FakePostHog(max_body_bytes=3000) as server, Delivering(server.url) as made:
        made.send(40)
        made.delivery.submit(clean(99, text="x" * 5000))
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {"too_large": 1}
        assert len(server.unique_events) == 40


def test_each_event_of_a_batch_has_its_own_result(fake_posthog: FakePostHog) -> None:
    """`retry` sends that event alone again, `drop` is counted, `warning` is delivered."""
    fake_posthog.fault(Fault(results={"again": "retry", "never": "drop", "hm": "warning"}))
    with Delivering(fake_posthog.url) as made:
        for number, name in enumerate(("again", "never", "hm", "fine")):
            made.delivery.submit(clean(number, name))
        assert made.delivery.flush(30)
        assert made.counted("dropped") == {"rejected": 1}
        assert made.counted("delivered") == {"": 3}
    assert [each.event for each in fake_posthog.events] == ["hm", "fine", "again"]
    assert fake_posthog.requests[1].body.count(b'"uuid"') == 1


def test_a_server_without_capture_v1_gets_the_older_format() -> None:
    """404 on V1 sends the same batch to `/batch/` at once, and all later ones."""
    with FakePostHog(v1=False) as server, Delivering(server.url) as made:
        made.send(3)
        assert made.delivery.flush(30)
        made.send(3, first=3)
        assert made.delivery.flush(30)
        assert [request.status for request in server.requests] == [404, 200, 200]
        assert len(server.unique_events) == 6
        assert server.events[0].properties["$lib"] == "otel-posthog"
        assert server.events[0].properties["$process_person_profile"] is False


def test_a_wrong_key_keeps_the_events_and_says_so_once(
    fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """401 pauses; the line names what to check and no key; once the key is accepted everything arrives."""
    fake_posthog.api_key = "phc_other"
    with Delivering(fake_posthog.url) as made:
        made.send(5)
        assert not made.delivery.flush(0.5)
        assert made.counted("dropped") == {}
        lines = [record.getMessage() for record in caplog.records if "POSTHOG_API_KEY" in record.getMessage()]
        assert len(lines) == 1
        assert "HTTP 401" in lines[0]
        assert "phc_" not in lines[0]
        fake_posthog.api_key = "phc_test"
        assert made.delivery.flush(30)
    assert len(fake_posthog.unique_events) == 5


def test_a_wrong_key_does_not_hold_up_an_exit(fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody corrects a key while a process ends: one try, then the events are told as left behind."""
    fake_posthog.api_key = "phc_other"
    made = Delivering(fake_posthog.url)
    made.send(3)
    started = time.monotonic()
    made.delivery.shutdown(30)
    assert time.monotonic() - started < 15
    assert made.delivery.volatile == 3
    assert "(HTTP 401): check POSTHOG_API_KEY and POSTHOG_HOST; events are not delivered before the end" in caplog.text


PORTAL = Fault(status=200, body=b"<!doctype html><p>Welcome", content_type="text/html", times=None)
OTHERS = [
    PORTAL,
    Fault(status=204, body=b"", times=None),
    Fault(status=200, body=b"{}", times=None),
    Fault(status=202, body=b"accepted", content_type="text/plain", times=None),
]


@pytest.mark.parametrize("fault", OTHERS, ids=lambda each: f"{each.status}-{each.body[:9].decode()}")
def test_any_2xx_of_somebody_else_keeps_the_events_and_says_so_once(
    fault: Fault, fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """A page that welcomes everybody takes no event: they wait, and arrive once PostHog is there."""
    fake_posthog.fault(fault)
    with Delivering(fake_posthog.url) as made:
        made.send(5)
        assert not made.delivery.flush(0.5)
        assert (made.counted("dropped"), made.counted("delivered")) == ({}, {})
        assert set(made.counted("retried")) == {"not_posthog"}
        (line,) = (record.getMessage() for record in caplog.records)
        assert "is not PostHog: check POSTHOG_HOST" in line
        assert "Welcome" not in line
        fake_posthog.clear_faults()
        assert made.delivery.flush(30)
    assert len(fake_posthog.unique_events) == 5


@pytest.mark.parametrize("body", [b'{"status": 1}', b'{"status": "Ok"}', b"1"])
def test_a_server_that_answers_capture_v1_as_batch_is_told_of_with_the_mode_for_it(
    body: bytes, fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody knows whether it took the events, which wait; the line offers `capture_mode: v0`."""
    fake_posthog.fault(Fault(status=200, body=body, times=None))
    with Delivering(fake_posthog.url) as made:
        made.send(5)
        assert not made.delivery.flush(0.5)
        (line,) = (record.getMessage() for record in caplog.records)
        assert "check POSTHOG_HOST, or write `capture_mode: v0` in the policy" in line
        fake_posthog.clear_faults()
        assert made.delivery.flush(30)


def test_a_redirect_is_told_as_that(fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture) -> None:
    """The key is no matter there: the line says what redirects means, and names the host only."""
    fake_posthog.fault(Fault(status=302, times=None))
    with Delivering(fake_posthog.url) as made:
        made.send(5)
        assert not made.delivery.flush(0.5)
        (line,) = (record.getMessage() for record in caplog.records)
        assert "redirects (HTTP 302), which is not followed: set POSTHOG_HOST" in line
        assert "API_KEY" not in line
        fake_posthog.clear_faults()
        assert made.delivery.flush(30)


def test_any_2xx_is_taken_of_a_relay_that_the_policy_tells_of(fake_posthog: FakePostHog) -> None:
    """`accept_any_2xx` is of one destination: another one's portal still takes nothing."""
    fake_posthog.fault(PORTAL)
    given = policy(fake_posthog.url, fake_posthog.url)
    first, second = given.destinations
    relayed = replace(given, destinations=(replace(first, accept_any_2xx=True), second))
    health = Health()
    delivery = Delivery(relayed, health, Guard(health))
    delivery.submit(clean(1), clean(2, destination="d1"))
    assert not delivery.flush(0.5)
    assert health.total("delivered") == 1
    assert delivery.outstanding == 1
    delivery.shutdown(0.5)


def test_a_full_buffer_drops_and_counts_the_newest(fake_posthog: FakePostHog) -> None:
    """The bound holds while PostHog is away; what was in arrives later."""
    fake_posthog.pause()
    with Delivering(fake_posthog.url, max_buffer_bytes=10_000) as made:
        made.send(100)
        kept = 100 - made.counted("dropped")["buffer_full"]
        assert 0 < kept < 100
        assert made.delivery.size_bytes <= 10_000
        fake_posthog.resume()
        assert made.delivery.flush(30)
        assert [each.uuid[-2:] for each in fake_posthog.events] == [f"{number:02x}" for number in range(kept)]


def test_flush_and_shutdown_keep_their_deadlines_while_the_server_hangs(fake_posthog: FakePostHog) -> None:
    """A hanging server costs the caller the time it allowed, no more, and no thread is left behind to wait for."""
    fake_posthog.fault(Fault(hang_s=60, times=None))
    with Delivering(fake_posthog.url, request_timeout_s=15) as made:
        made.send(1)
        started = time.monotonic()
        assert not made.delivery.flush(0.3)
        assert not made.delivery.shutdown(0.5)
        assert time.monotonic() - started < 10
    made.send(1, first=1)
    assert made.counted("dropped") == {"after_shutdown": 1}


def test_shutdown_delivers_and_ends_the_thread(fake_posthog: FakePostHog) -> None:
    """After it no thread of ours is left; a second call returns at once."""
    with Delivering(fake_posthog.url, flush_interval_s=60) as made:
        made.send(5)
        assert made.delivery.shutdown(5)
        assert made.delivery.shutdown(5)
    assert len(fake_posthog.unique_events) == 5
    assert [thread for thread in threading.enumerate() if thread.name.startswith("otel-posthog-sender")] == []


def test_one_destination_that_is_down_does_not_delay_another(fake_posthog: FakePostHog) -> None:
    """Each destination has a sender of its own."""
    with FakePostHog() as down:
        down.fault(Fault(hang_s=60, times=None))
        with Delivering(down.url, fake_posthog.url) as made:
            made.delivery.submit(clean(1))
            made.delivery.submit(clean(2, destination="d1"))
            fake_posthog.wait_for(1)
            assert not made.delivery.flush(0.3)
    assert [each.uuid[-1] for each in fake_posthog.events] == ["2"]


def test_a_fork_inherits_nothing_and_loses_nothing(fake_posthog: FakePostHog) -> None:
    """What the parent has, the parent delivers; the child delivers its own, over a connection of its own."""
    with Delivering(fake_posthog.url, flush_interval_s=0.3) as made:
        made.send(1)
        assert made.delivery.flush(30)
        made.send(10, first=1)
        child = os.fork()
        if child == 0:
            made.send(1, first=100)
            os._exit(0 if made.delivery.flush(5) else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert made.delivery.flush(30)
    assert len(fake_posthog.events) == len(fake_posthog.unique_events) == 12


def test_without_a_thread_flush_sends_itself(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that is shutting down starts no thread (3.12+): the flush of its exit sends."""

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    made = Delivering(fake_posthog.url)
    with monkeypatch.context() as patched:
        patched.setattr("otel_posthog.threads.threading.Thread.start", refused)
        made.send(1)
    assert made.delivery.flush(30)
    assert len(fake_posthog.events) == 1
    made.send(2, first=1)
    fake_posthog.wait_for(3)
    assert made.delivery.shutdown(5)
