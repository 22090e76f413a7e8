"""How a process ends, forks, stops and goes on, and what becomes of its events."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal as signals
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from clean import TIME_NS, policy
from forked import in_child

from otel_posthog.deliver import SpoolRoot
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Destination, Policy
from otel_posthog.process import _methods as run_before_os_exit
from otel_posthog.testing import FakePostHog, Fault
from otel_posthog.worker import Worker


def signal(number: int = 1) -> Signal:
    """Return the signal of a log-based event."""
    return Signal(Source.LOG, "e", {}, TIME_NS, observed_time_ns=number)


@pytest.fixture
def pipeline(fake_posthog: FakePostHog) -> Iterator[Pipeline]:
    """A pipeline that keeps events in memory, and sends seldom unless it is asked to."""
    health = Health()
    made = Pipeline(
        policy(fake_posthog.url, flush_interval_s=30.0), installation_id="i", health=health, guard=Guard(health)
    )
    yield made
    made.shutdown(0.5)


def test_a_child_that_ends_at_once_loses_nothing(pipeline: Pipeline, fake_posthog: FakePostHog) -> None:
    """`os._exit` right after an event: what is not out yet goes first."""
    import urllib3  # noqa: F401, PLC0415 - not in the child, which has a second

    child = os.fork()
    if child == 0:
        for number in range(5):
            pipeline.submit(signal(number))
        os._exit(7)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert len(fake_posthog.unique_events) == 5


def test_a_process_of_multiprocessing_loses_nothing(pipeline: Pipeline, fake_posthog: FakePostHog) -> None:
    """It ends in `os._exit` as well, and hands what it emitted over to that."""
    import urllib3  # noqa: F401, PLC0415

    pipeline.submit(signal(100))
    process = multiprocessing.get_context("fork").Process(target=pipeline.submit, args=(signal(1),))
    process.start()
    process.join(10)
    assert process.exitcode == 0
    assert len(fake_posthog.wait_for(1)) == 1
    assert pipeline.flush(30)
    assert len(fake_posthog.events) == len(fake_posthog.unique_events) == 2


def test_os_exit_does_not_wait_for_a_server_that_hangs(pipeline: Pipeline, fake_posthog: FakePostHog) -> None:
    """A second, and the process is gone."""
    fake_posthog.fault(Fault(hang_s=60, times=None))
    child = os.fork()
    if child == 0:
        pipeline.submit(signal())
        os._exit(0)
    started = time.monotonic()
    os.waitpid(child, 0)
    assert time.monotonic() - started < 15


@pytest.mark.alone
@pytest.mark.parametrize("is_hanging", [False, True], ids=["refusing", "hanging"])
def test_shutdown_takes_five_seconds_at_most_and_leaves_the_rest_on_disk(
    is_hanging: bool, fake_posthog: FakePostHog, tmp_path: Path
) -> None:
    """With every default, whatever the server does; the next process has all of it."""
    if is_hanging:
        fake_posthog.fault(Fault(hang_s=60, times=None))
    else:
        fake_posthog.pause()
    health = Health()
    settings = Policy(destinations=(Destination("default", "phc_test", fake_posthog.url),))
    made = Pipeline(settings, installation_id="i", health=health, guard=Guard(health), spool=SpoolRoot(tmp_path))
    for number in range(300):
        made.submit(signal(number))
    started = time.monotonic()
    assert not made.shutdown()
    # A request alone is given 15 s; the margin is a busy machine's.
    assert time.monotonic() - started < 5 + 3
    fake_posthog.clear_faults()
    if not is_hanging:
        fake_posthog.resume()
    other = Health()
    following = Pipeline(settings, installation_id="i", health=other, guard=Guard(other), spool=SpoolRoot(tmp_path))
    assert len(fake_posthog.wait_for(300, timeout_s=60)) == 300
    following.shutdown()


def test_os_exit_forgets_pipelines_that_are_gone() -> None:
    """No pipeline lives for the sake of an exit to come."""
    health = Health()
    made = Pipeline(policy("http://127.0.0.1:9"), installation_id="i", health=health, guard=Guard(health))
    made.shutdown(0)
    alive = weakref.ref(made)
    assert weakref.WeakMethod(made._save_at_once) in run_before_os_exit
    del made, health
    gc.collect()
    assert alive() is None


def test_a_fork_while_every_lock_is_held_leaves_a_child_that_works(
    pipeline: Pipeline, fake_posthog: FakePostHog
) -> None:
    """Another thread is inside when the process forks; it does not exist in the child, nor do its locks."""
    import urllib3  # noqa: F401, PLC0415

    sender = pipeline._delivery._senders["default"]
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with pipeline._worker._lock, pipeline._health._lock, sender._waiting.lock:
            held.set()
            over.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)

    def work() -> bool:
        pipeline.submit(signal())
        return pipeline.flush(10)

    try:
        assert in_child(work)
    finally:
        over.set()
        holder.join()
    assert len(fake_posthog.unique_events) == 1


def test_no_thread_starts_in_a_fork_hook(pipeline: Pipeline) -> None:
    """A child that emits nothing has none of ours."""
    pipeline.submit(signal())
    assert in_child(lambda: [each.name for each in threading.enumerate() if each.name.startswith("otel-")] == [])


def test_events_from_signal_handlers_and_finalizers_arrive(pipeline: Pipeline, fake_posthog: FakePostHog) -> None:
    """They interrupt a thread that is inside the pipeline itself, at any point."""
    sent = 0

    class Emits:
        def __del__(self) -> None:
            pipeline.submit(signal(10**6 + id(self)))

    def handle(*_: object) -> None:
        nonlocal sent
        sent += 1
        pipeline.submit(signal(10**3 + sent))

    until = time.monotonic() + 0.5
    before = signals.signal(signals.SIGALRM, handle)
    try:
        emitted = armed = 0
        # So many that a slow machine can deliver them, and as long as it takes to be interrupted.
        while sent <= 10 or (emitted < 3000 and time.monotonic() < until):
            # Not by an interval: where a handler takes longer than that, others pile up inside it without an end.
            if armed == sent:
                armed += 1
                signals.setitimer(signals.ITIMER_REAL, 0.001)
            pipeline.submit(signal(-1 - emitted))
            emitted += 1
            Emits()
    finally:
        signals.setitimer(signals.ITIMER_REAL, 0)
        # One that is on its way already must not find the default, which ends the process.
        signals.signal(signals.SIGALRM, signals.SIG_IGN)
        time.sleep(0.1)
        signals.signal(signals.SIGALRM, before)
    assert pipeline.flush(60)
    assert len(fake_posthog.events) == 2 * emitted + sent


def test_logging_inside_the_worker_does_not_feed_itself(pipeline: Pipeline, fake_posthog: FakePostHog) -> None:
    """A handler that emits for every log line, also for ours, ends in one event for each line."""
    fake_posthog.api_key = "phc_other"

    class Emits(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            pipeline.submit(signal(hash(record.getMessage())))

    handler, log = Emits(), logging.getLogger("otel_posthog")
    log.addHandler(handler)
    try:
        pipeline.submit(signal())
        assert not pipeline.flush(1.0)
        fake_posthog.api_key = "phc_test"
        assert pipeline.flush(30)
    finally:
        log.removeHandler(handler)
    assert len(fake_posthog.unique_events) == 2


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_delays_nothing(
    jump_s: float, pipeline: Pipeline, fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits are measured on the clock that does not jump; the event's own time stays."""
    fake_posthog.fault(Fault(status=503, times=2))
    pipeline.submit(signal())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    assert pipeline.flush(30)
    assert fake_posthog.events[0].timestamp.startswith("2026-01-02T03:04:05")


def test_a_process_that_was_stopped_goes_on(pipeline: Pipeline, fake_posthog: FakePostHog) -> None:
    """Suspended for longer than its waits, it delivers what it has, once."""
    import urllib3  # noqa: F401, PLC0415

    fake_posthog.fault(Fault(delay_s=0.3))
    child = os.fork()
    if child == 0:
        pipeline.submit(signal())
        os._exit(0 if pipeline.flush(10) else 1)
    assert fake_posthog.wait_until(lambda: fake_posthog._faults._faults == [], 10)
    os.kill(child, signals.SIGSTOP)
    time.sleep(1.0)
    os.kill(child, signals.SIGCONT)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(fake_posthog.unique_events) == 1


def test_the_worker_is_woken_whenever_it_sleeps() -> None:
    """Many threads put at the moments in which the worker goes to sleep; none of their signals waits for another."""
    seen: list[Signal] = []
    queue = Worker(lambda each: [each], seen.extend, lambda: None, max_bytes=10**9)

    def put() -> None:
        for number in range(200):
            queue.put(signal(number))
            time.sleep(0.0002)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    until = time.monotonic() + 60
    while len(seen) < 800 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(seen) == 800
    queue.close()
