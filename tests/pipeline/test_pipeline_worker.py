"""The queue between application threads and the worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from forked import in_child
from hypothesis import given
from hypothesis import strategies as st

from otel_posthog.model import Signal, Source
from otel_posthog.policy import DeliveryPolicy, Durability
from otel_posthog.worker import MAX_QUEUE_AGE_S, Worker, bounds, estimated_bytes


def signal(name: str = "e", **attributes: Any) -> Signal:
    """Return a signal."""
    return Signal(Source.LOG, name, attributes, 1)


def worker_of(handle: Callable[[Signal], object], max_bytes: int = 10**6) -> Worker[None]:
    """Return a queue whose worker calls `handle`."""

    def handled(each: Signal) -> list[None]:
        handle(each)
        return [None]

    return Worker(handled, lambda _: None, lambda: None, max_bytes=max_bytes)


def test_what_is_put_is_handled_in_order_on_one_other_thread() -> None:
    """The worker handles each signal once, in the order in which they came."""
    seen: list[tuple[str, str]] = []
    queue = worker_of(lambda each: seen.append((each.name, threading.current_thread().name)))
    for number in range(50):
        assert queue.put(signal(str(number)))
    assert queue.flush(30)
    queue.close()
    assert seen == [(str(number), "otel-posthog-worker") for number in range(50)]
    assert queue.size_bytes == 0


def test_a_full_queue_says_no_and_keeps_what_it_has() -> None:
    """The bound is by bytes; the caller then does the work itself, and nothing is lost."""
    gate, seen = threading.Event(), []

    def handle(each: Signal) -> None:
        gate.wait(30)
        seen.append(each.name)

    size = estimated_bytes(signal())
    queue = worker_of(handle, max_bytes=3 * size)
    taken = [queue.put(signal(str(number))) for number in range(5)]
    assert taken == [True, True, True, False, False]
    assert queue.size_bytes <= 3 * size
    gate.set()
    assert queue.flush(30)
    assert seen == ["0", "1", "2"]
    queue.close()


def test_a_worker_that_is_behind_leaves_the_rest_to_the_caller() -> None:
    """Past the bound on age the caller does the work; once the worker has caught up it does it again."""
    gate, is_at_it = threading.Event(), threading.Event()

    def handle(_: Signal) -> list[bool]:
        is_at_it.set()
        return [gate.wait(30)]

    queue = Worker(handle, lambda _: None, lambda: None, max_bytes=10**6, max_age_s=0.05)
    assert queue.put(signal("handled"))
    assert is_at_it.wait(30)
    assert queue.put(signal("waits"))
    time.sleep(0.1)
    assert not queue.put(signal("too late"))
    gate.set()
    assert queue.flush(30)
    assert queue.put(signal("again"))
    queue.close()


def test_flush_returns_at_its_deadline() -> None:
    """A worker that is stuck does not hold the caller."""
    gate = threading.Event()

    def handle(_: Signal) -> None:
        gate.wait(10)

    queue = worker_of(handle)
    queue.put(signal())
    started = time.monotonic()
    assert not queue.flush(0.1)
    assert time.monotonic() - started < 5
    gate.set()
    queue.close()


def test_flush_handles_what_is_queued_where_no_thread_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that is shutting down starts no threads (3.12+): the caller drains the queue."""
    seen: list[str] = []
    queue = worker_of(lambda each: seen.append(each.name))

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert queue.put(signal("a"))
    assert queue.put(signal("b"))
    assert queue.flush(30)
    assert seen == ["a", "b"]


def test_the_child_of_a_fork_starts_empty_and_the_parent_keeps_its_own() -> None:
    """Inherited twice would be delivered twice; the child works with a thread of its own."""
    gate, seen = threading.Event(), []

    def handle(each: Signal) -> None:
        gate.wait(5)
        seen.append(each.name)

    queue = worker_of(handle)
    queue.put(signal("parent"))

    def work() -> bool:
        queue.reset_after_fork()
        gate.set()
        queue.put(signal("child"))
        return queue.flush(5) and seen == ["child"]

    assert in_child(work)
    gate.set()
    assert queue.flush(30)
    assert seen == ["parent"]
    queue.close()


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=50), max_size=5), max_size=30))
def test_the_size_is_never_above_the_bound_and_ends_at_zero(items: list[dict[str, str]]) -> None:
    """Whatever is put, the estimate stays within the bound and nothing of it leaks."""
    sizes: list[int] = []
    queue = worker_of(lambda _: sizes.append(queue.size_bytes), max_bytes=3000)
    for item in items:
        queue.put(Signal(Source.LOG, "e", item, 1))
        assert queue.size_bytes <= 3000
    assert queue.flush(30)
    assert queue.size_bytes == 0
    queue.close()


def test_what_comes_together_is_committed_together_and_before_a_flush_returns() -> None:
    """A few signals are one write; what a flush waited for is written; each is committed once, in order."""
    gate, commits = threading.Event(), list[list[str]]()

    def handle(each: Signal) -> list[str]:
        gate.wait(5)
        return [each.name, each.name]

    queue = Worker(handle, lambda made: commits.append(list(made)), lambda: None, max_bytes=10**6)
    for number in range(20):
        queue.put(signal(str(number)))
    gate.set()
    assert queue.flush(30)
    assert [name for each in commits for name in each] == [str(number) for number in range(20) for _ in range(2)]
    assert len(commits) < 20
    assert queue.size_bytes == 0
    queue.close()


def test_a_commit_does_not_wait_for_a_stream_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """While signals keep coming, what is handled is written every few milliseconds."""
    commits: list[int] = []

    def handle(_: Signal) -> list[int]:
        time.sleep(0.002)
        return [0]

    queue = Worker(handle, lambda made: commits.append(len(made)), lambda: None, max_bytes=10**6)
    for number in range(50):
        queue.put(signal(str(number)))
    assert queue.flush(30)
    assert sum(commits) == 50
    assert max(commits) < 10
    queue.close()


def test_how_often_it_looks_is_the_policys() -> None:
    """After a signal it looks again once, after the interval, and then waits to be woken."""
    waits: list[float] = []

    class Wake:
        def acquire(self, timeout: float) -> bool:
            waits.append(timeout)
            time.sleep(0.001)
            return False

        def release(self) -> None:
            """Nobody waits."""

    made = bounds(DeliveryPolicy(worker_interval_s=0.007))
    queue: Worker[None] = Worker(lambda _: [None], lambda _: None, lambda: None, **made)
    queue._wake = Wake()  # type: ignore[assignment]
    assert queue.put(signal())
    assert queue.flush(30)
    deadline = time.monotonic() + 30
    while len(waits) < 3 and time.monotonic() < deadline:
        time.sleep(0.001)
    queue.close()
    assert waits.count(0.007) == 1
    assert max(waits) > 1


@pytest.mark.parametrize("durability", list(Durability))
def test_the_bounds_of_the_queue_are_those_of_the_durability(durability: Durability) -> None:
    """There is no queue where a thread writes for itself, and no age where there is no disk to be on."""
    made = bounds(DeliveryPolicy(durability=durability))
    assert bool(made["max_bytes"]) == (durability is not Durability.WRITE_THROUGH)
    assert (made["max_age_s"] == MAX_QUEUE_AGE_S) == (durability is Durability.SPOOL)
