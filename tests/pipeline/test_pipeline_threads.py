"""Our locks, events and threads, alone and where greenlets have come into the place of threads since they were made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from otel_posthog import threads as own_threads
from otel_posthog.threads import Condition, Event, RLock, start_daemon

LONG_S = 30.0


@pytest.fixture(params=[False, True], ids=["threads", "greenlets"], autouse=True)
def _taken_over(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the package believe that it was set up before a patch."""
    monkeypatch.setattr(own_threads, "is_taken_over", lambda: request.param)


def started(work: Callable[[], object]) -> Any:
    """Return a thread that works."""
    thread = start_daemon("test", work)
    assert thread is not None
    return thread


def test_an_event_wakes_all_who_wait_and_stays_set() -> None:
    """Those before and those after; setting it again is nothing; without it the time passes."""
    event, woken = Event(), list[bool]()
    assert not event.wait(0.01)
    threads = [started(lambda: woken.append(event.wait(LONG_S))) for _ in range(3)]
    event.set()
    event.set()
    for each in threads:
        each.join(LONG_S)
    assert woken == [True] * 3
    assert event.is_set()
    assert event.wait()


def test_a_condition_gives_its_lock_away_while_it_waits() -> None:
    """However often it is held, as by a signal handler; and has it again afterwards."""
    lock, done = RLock(), Event()
    changed = Condition(lock)

    def notify() -> None:
        with lock:
            changed.notify_all()
        done.set()

    with lock, lock:
        thread = started(notify)
        assert changed.wait(LONG_S)
        other: list[bool] = []
        asking = threading.Thread(target=lambda: other.append(lock.acquire(blocking=False)))
        asking.start()
        asking.join()
        assert other == [False]
    assert done.wait(LONG_S)
    thread.join(LONG_S)
    with lock:
        assert not changed.wait(0.01)
        changed.notify_all()


def test_a_thread_is_alive_until_it_has_ended() -> None:
    """And who joins it waits for that."""
    go = Event()
    thread = started(lambda: go.wait(LONG_S))
    assert thread.is_alive()
    thread.join(0.01)
    assert thread.is_alive()
    go.set()
    thread.join(LONG_S)
    assert not thread.is_alive()
    assert own_threads.real_threads == set()
