"""The worker of a pipeline: one daemon thread, and the queue that application threads put signals in.

An application thread puts a signal and goes on; the worker's thread handles it. The queue is bounded by bytes, and by
age where events are to get on a disk. Past a bound `put` returns False, and the caller does the worker's job for its
own signal (`handle_here`). Nothing is lost by a fork (the parent still has it), inherited twice by the child, or left
behind when no thread can be started any more.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import inf
from typing import Generic, TypedDict, TypeVar

from otel_posthog.model import Signal
from otel_posthog.policy import DeliveryPolicy, Durability
from otel_posthog.threads import Daemon, Event, Lock, PipelineWork, RLock, is_pipeline_work, start_daemon

# A dict entry with a short key and a small value, and the objects of a Signal around it, as sys.getsizeof counts them.
_BYTES_PER_ATTRIBUTE, _BYTES_PER_SIGNAL = 150, 600
# How often an idle worker checks whether a report is due, and whether another process has recorded an opt-out: what
# waits for a server that cannot be reached must be gone soon after that.
_IDLE_S = 2.0

# A worker that does not get the interpreter for so long leaves application threads to see to their own events: what a
# `kill -9` takes along stays below 50 ms, with what is being handled and written.
MAX_QUEUE_AGE_S = 0.02

# From the first signal of a commit to its write.
_COMMIT_S = 0.005

_Made = TypeVar("_Made")
_SMALL = frozenset({bool, int, float, type(None)})
_Entry = tuple[Signal, int, float] | Event | None


class Bounds(TypedDict):
    """What a policy says of the queue and of when the worker looks into it, as `Worker` takes it."""

    max_bytes: int
    max_age_s: float
    interval_s: float


def bounds(policy: DeliveryPolicy) -> Bounds:
    """Return the bounds of `policy`.

    Without a queue an application thread does the worker's job, and its event is on disk when it returns.
    """
    is_queued = policy.durability is not Durability.WRITE_THROUGH
    return Bounds(
        max_bytes=policy.max_queue_bytes if is_queued else 0,
        max_age_s=MAX_QUEUE_AGE_S if policy.durability is Durability.SPOOL else inf,
        interval_s=policy.worker_interval_s,
    )


class Worker(Generic[_Made]):
    """The thread and its queue.

    Args:
        handle: Called on the worker for each signal; returns what it becomes; must not raise.
        commit: Called on the worker with what a few signals became, a moment later: a write for each would cost the
            worker the interpreter each time, and wherever the app is busy 5 ms to get it back.
        tick: Called on the worker after each commit and now and then while idle; must not raise.
        max_bytes: The bound, by estimated size.
        max_age_s: The bound, by the time that the oldest signal has waited: how much a `kill -9` may take along while
            the worker does not get to its work.
        interval_s: How often it looks while signals come: to be woken for each would cost the application's thread as
            much as all else that it does for an event. It is what a `kill -9` may take along beside what is in hand.
            After one look in vain it waits to be woken, so that a quiet app has no timers.
    """

    def __init__(  # noqa: PLR0913 - the bounds by name
        self,
        handle: Callable[[Signal], Iterable[_Made]],
        commit: Callable[[Sequence[_Made]], None],
        tick: Callable[[], None],
        *,
        max_bytes: int,
        max_age_s: float = inf,
        interval_s: float = 0.001,
    ) -> None:
        self._handle, self._commit, self._tick = handle, commit, tick
        self._max_bytes, self._max_age_s, self._interval_s = max_bytes, max_age_s, interval_s
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Start empty; the thread starts with the next signal, never inside a fork hook."""
        self._queue: deque[_Entry] = deque()
        # Reentrant: a signal handler or a finalizer may log while this thread is inside.
        self._lock = RLock()
        # What an idle worker waits for; a condition costs the putting thread ten times as much.
        self._wake = Lock()
        self._wake.acquire()
        self._is_idle = self._is_starting = self._has_worked = False
        # The worker and a thread that drains the queue take turns: when the mark of a flush is reached, nothing that
        # was put before it is still being handled elsewhere.
        self._handling = RLock()
        self._thread: Daemon | None = None
        self._size_bytes = 0
        self._in_hand_since = inf

    @property
    def size_bytes(self) -> int:
        """The estimated size of what waits."""
        return self._size_bytes

    def put(self, signal: Signal) -> bool:
        """Queue `signal` and return True; return False where the queue is full."""
        size, now = estimated_bytes(signal), time.monotonic()
        if now - self._oldest_at(now) > self._max_age_s:
            return False
        with self._lock:
            if self._size_bytes + size > self._max_bytes:
                return False
            self._size_bytes += size
        self._put((signal, size, now))
        if self._thread is None:
            self.start()
        return True

    def handle_here(self, signal: Signal) -> None:
        """Do the worker's job for `signal`, which found no room.

        Where a signal handler or a finalizer has interrupted this thread at such work, the signal is queued past the
        bound: one for each level of interruption.
        """
        if not is_pipeline_work():
            if self._thread is None:
                self.start()  # there are ticks also where there is no queue
            with PipelineWork():
                made = tuple(self._handle(signal))
                if made:
                    self._commit(made)
            return
        size = estimated_bytes(signal)
        with self._lock:
            self._size_bytes += size
        self._put((signal, size, time.monotonic()))
        if self._thread is None:
            self.start()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was put before is handled; return False where the time did not suffice."""
        if self._thread is None or not self._thread.is_alive():
            return self._drain(time.monotonic() + timeout_s)
        done = Event()
        self._put(done)
        return done.wait(timeout_s)

    def discard(self) -> int:
        """Forget what is queued and return how many signals that was; a `flush` no longer waits for them."""
        count, entries = 0, []
        with suppress(IndexError):
            while True:
                entries.append(self._queue.popleft())
        for entry in entries:
            if entry is None:
                self._put(None)
            elif isinstance(entry, Event):
                entry.set()
            else:
                count += 1
                with self._lock:
                    self._size_bytes -= entry[1]
        return count

    def close(self) -> None:
        """Let the worker end once it has handled what is queued."""
        self._put(None)

    def _oldest_at(self, now: float) -> float:
        """Return when the oldest signal that is not committed was put, on the monotonic clock; `now` where none is.

        What the worker has taken counts as well: with a busy interpreter it may hold that for longer than it waited.
        """
        try:
            oldest = self._queue[0]
        except IndexError:
            return min(now, self._in_hand_since)
        return min(oldest[2] if isinstance(oldest, tuple) else now, self._in_hand_since)

    def _put(self, entry: _Entry) -> None:
        self._queue.append(entry)
        # A worker that is at work finds the entry by itself.
        if self._is_idle:
            self._is_idle = False
            with suppress(RuntimeError):  # another thread woke it just now
                self._wake.release()

    def start(self) -> None:
        """Start the worker, if need be before there is a signal, for its ticks."""
        with self._lock:
            # A signal handler may come by here while the thread is being started.
            if self._thread is None and not self._is_starting:
                self._is_starting = True
                try:
                    self._thread = start_daemon("otel-posthog-worker", self._work)
                finally:
                    self._is_starting = False

    def _work(self) -> None:
        # Before the first signal as well: what a tick looks at may have changed long since.
        self._tick()
        while self._step(_IDLE_S):
            self._tick()

    def _drain(self, deadline: float) -> bool:
        """Handle what is queued on the calling thread."""
        if not self._handling.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return False
        try:
            with PipelineWork():
                while self._queue:
                    if time.monotonic() >= deadline:
                        return False
                    self._step(0)
        finally:
            self._handling.release()
        return True

    def _step(self, timeout_s: float) -> bool:
        """Handle and commit a few entries, waiting for the first; return False where the worker is to end."""
        if not self._queue and timeout_s:
            self._wait(timeout_s)
        with self._handling:
            try:
                made, size_bytes, mark = self._take()
                if made:
                    self._commit(made)
            finally:
                self._in_hand_since = inf
        with self._lock:
            self._size_bytes -= size_bytes
        if isinstance(mark, Event):
            mark.set()
        return mark is not None

    def _take(self) -> tuple[list[_Made], int, _Entry | bool]:
        """Return what the next signals became, their size, and the mark behind them: True where there is none."""
        made: list[_Made] = []
        size_bytes, until = 0, time.monotonic() + _COMMIT_S
        while True:
            try:
                entry = self._queue.popleft()
            except IndexError:
                return made, size_bytes, True
            if not isinstance(entry, tuple):
                return made, size_bytes, entry
            self._in_hand_since = min(self._in_hand_since, entry[2])
            self._has_worked = True
            made.extend(self._handle(entry[0]))
            size_bytes += entry[1]
            if time.monotonic() >= until:
                return made, size_bytes, True

    def _wait(self, timeout_s: float) -> None:
        if self._has_worked:
            self._has_worked = False
            # As a sleep: nobody releases it for a worker that is not idle.
            if self._wake.acquire(timeout=self._interval_s) or self._queue:
                return
        self._is_idle = True
        # What was put before the worker was known to be idle wakes nobody.
        if not self._queue:
            self._wake.acquire(timeout=timeout_s)
        self._is_idle = False


def estimated_bytes(signal: Signal) -> int:
    """Return about how much memory `signal` holds; the resource and a span's shared attributes are not its own."""
    attributes = signal.attributes
    size = _BYTES_PER_SIGNAL + _BYTES_PER_ATTRIBUTE * len(attributes)
    for value in attributes.values():
        kind = type(value)
        if kind is str:
            size += len(value)  # type: ignore[arg-type]
        elif kind not in _SMALL:
            size += len(value) if isinstance(value, (str, bytes)) else len(repr(value))
    return size
