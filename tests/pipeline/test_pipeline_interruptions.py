"""Events from signal handlers and finalizers, which interrupt a thread that is inside the pipeline itself."""

from __future__ import annotations

import errno
import logging
import signal as signals
import sys
import threading
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from clean import TIME_NS, clean, policy
from interrupting import interrupted

from otel_posthog import health as outcome
from otel_posthog.deliver import Delivery, SpoolRoot
from otel_posthog.deliver.spool.files import OsFiles
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent, Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Durability

# What runs on the application thread; what makes an event clean has no state and no lock.
WITHIN = ("worker.py", "pipeline.py", "health.py", "threads.py", "otel_posthog/deliver/", "threading.py")
# Far more than one interruption takes; only a thread that waits for itself meets it. On a busy machine, where each
# writes to the disk, all of them together take as long: each begins it anew.
STUCK_S = 60


@pytest.fixture(autouse=True)
def _stuck_is_red() -> Iterator[None]:
    """A thread that waits for ever for its own lock fails the test."""

    def stuck(*_: object) -> None:
        raise TimeoutError("the thread waits for itself")

    before = signals.signal(signals.SIGALRM, stuck)
    signals.alarm(STUCK_S)
    yield
    signals.alarm(0)
    signals.signal(signals.SIGALRM, before)


def workers() -> int:
    """Return how many threads of ours there are."""
    return sum(each.name.startswith("otel-posthog-worker") for each in threading.enumerate())


@pytest.mark.parametrize(
    ("directory", "limits"),
    [
        (None, {}),
        (None, {"max_queue_bytes": 1}),
        ("spool", {"durability": Durability.WRITE_THROUGH}),
    ],
    ids=["queued", "queue full", "on disk"],
)
def test_an_event_that_interrupts_another_is_kept_wherever_that_happens(
    directory: str | None, limits: dict[str, Any], tmp_path: Path
) -> None:
    """At every point both arrive, are counted once and waited for, and one worker is started, no more."""
    settings = policy("http://127.0.0.1:9", flush_interval_s=600.0, **limits)
    spool, before = directory and tmp_path / directory, workers()
    for number in count():
        signals.alarm(STUCK_S)
        health = Health()
        pipeline = Pipeline(
            settings, installation_id="i", health=health, guard=Guard(health), spool=SpoolRoot(spool) if spool else None
        )
        try:
            was_interrupted = interrupted(
                partial(pipeline.submit, Signal(Source.LOG, "e", {}, TIME_NS)),
                partial(pipeline.submit, Signal(Source.LOG, "f", {}, TIME_NS)),
                number,
                WITHIN,
            )
            assert pipeline._worker.flush(STUCK_S)
            assert workers() - before <= 1, number
            expected = 1 + was_interrupted
            assert health.snapshot() == {(outcome.RECEIVED, "log"): expected}, number
            assert pipeline._worker.size_bytes == 0
            sender = pipeline._delivery._senders["default"]
            assert (sender.outstanding, len(sender.store)) == (expected, expected), number
        finally:
            pipeline.discard("test")
            pipeline.shutdown(STUCK_S)
        for each in threading.enumerate():
            if each.name.startswith("otel-posthog-worker"):
                each.join(STUCK_S)
        if not was_interrupted:
            assert number > 30
            return


def test_an_event_from_inside_is_left_to_the_worker() -> None:
    """The thread may hold a lock that another waits for: what interrupts it is queued, though the queue is full."""
    health, handled = Health(), list[tuple[str, str]]()

    class Interrupted(Delivery):
        def submit(self, *events: CleanEvent) -> None:
            (event,) = events
            name = "outer" if b'"outer"' in event.body else "inner"
            handled.append((name, threading.current_thread().name))
            if name == "outer":
                pipeline.submit(Signal(Source.LOG, "inner", {}, TIME_NS))
                handled.append(("outer is over", threading.current_thread().name))

    settings = policy("http://127.0.0.1:9", max_queue_bytes=1)
    delivery = Interrupted(settings, health, Guard(health))
    pipeline = Pipeline(settings, installation_id="i", health=health, guard=Guard(health), delivery=delivery)
    pipeline.submit(Signal(Source.LOG, "outer", {}, TIME_NS))
    assert pipeline._worker.flush(STUCK_S)
    here = threading.current_thread().name
    assert sorted(handled) == [("inner", "otel-posthog-worker"), ("outer", here), ("outer is over", here)]
    pipeline.shutdown(0)


def test_a_log_handler_may_wait_for_a_thread_that_emits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failing disk is told as is logged while no lock is held: handlers have locks of their own."""
    settings, health = policy("http://127.0.0.1:9", flush_interval_s=600.0), Health()
    delivery = Delivery(settings, health, Guard(health), spool=SpoolRoot(tmp_path))
    came: list[bool] = []

    class Waits(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            other = threading.Thread(target=delivery.submit, args=(clean(2),), daemon=True)
            other.start()
            other.join(10)
            came.append(not other.is_alive())

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(OsFiles, "append", full)
    handler, log = Waits(), logging.getLogger("otel_posthog")
    log.addHandler(handler)
    try:
        delivery.submit(clean(1))
    finally:
        log.removeHandler(handler)
    assert came == [True]
    assert delivery.volatile == 2
    delivery.discard("test")
    delivery.shutdown(0)


def test_counts_are_exact_wherever_a_count_interrupts_another() -> None:
    """Also the first of its kind, and by a finalizer while the lock is held."""
    for number in count():
        signals.alarm(STUCK_S)
        health = Health()
        was_interrupted = interrupted(
            partial(health.count, outcome.RECEIVED, "log"),
            partial(health.count, outcome.RECEIVED, "log"),
            number,
            ("health.py", "collections/"),
        )
        assert health.total(outcome.RECEIVED) == 1 + was_interrupted, number
        if not was_interrupted:
            # Python 3.13 was seen to tell of no opcodes in so short a call.
            assert number > 5 or sys.version_info >= (3, 12)
            return
