"""The one thread that does the CPU work of a worker process, round robin over senders: a step of each in turn.

One thread, since the work is Python's own, for which a second would only wait. Whoever sends much waits for itself.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from otel_posthog.apps.gateway.consumer import Steps
from otel_posthog.apps.gateway.responses import ExportOutcome, Refusal

RETRY_AFTER_S = 5
"""After how many seconds senders are to retry: a spool that is full empties at the pace of PostHog."""


@dataclass(slots=True)
class _Job:
    steps: Steps
    deadline: float
    future: Future[ExportOutcome]

    def step(self) -> bool:
        """Do one step; return whether that was the last."""
        if self.future.cancelled():
            self.steps.close()
            return True
        try:
            if time.monotonic() >= self.deadline:
                self.steps.close()
                raise Refusal(503, "the gateway has too much to do", retry_after_s=RETRY_AFTER_S)
            next(self.steps)
        except StopIteration as end:
            self._answer(end.value)
        except Exception as error:
            self._answer(error)
        else:
            return False
        return True

    def _answer(self, answer: ExportOutcome | Exception) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        if isinstance(answer, Exception):
            _release_frames(answer)
            self.future.set_exception(answer)
        else:
            self.future.set_result(answer)


def _release_frames(error: BaseException | None) -> None:
    """Clear what the frames of an error hold, which is all of a request: errors and frames are cycles, and stay."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


class FairScheduler:
    """Does work step by step, the senders in turn."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[_Job]] = {}
        self._change = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="otel-posthog-gateway", daemon=True)
        self._thread.start()

    def submit(self, sender: str, steps: Steps, deadline: float) -> Future[ExportOutcome]:
        """Queue `steps`, and return what will become of them.

        Args:
            sender: Whose they are; one sender's are done in the order in which they came.
            steps: The work.
            deadline: Of `time.monotonic`; after it the rest is refused.
        """
        job = _Job(steps, deadline, Future())
        with self._change:
            self._queues.setdefault(sender, deque()).append(job)
            self._change.notify()
        return job.future

    def close(self) -> None:
        """Do what is queued, and end."""
        with self._change:
            self._is_closed = True
            self._change.notify()
        self._thread.join()

    def _run(self) -> None:
        while (sender := self._next_sender()) is not None:
            queue = self._queues[sender]
            is_done = queue[0].step()
            with self._change:
                if is_done:
                    queue.popleft()
                del self._queues[sender]
                if queue:
                    # Behind all others.
                    self._queues[sender] = queue

    def _next_sender(self) -> str | None:
        with self._change:
            while not self._queues:
                if self._is_closed:
                    return None
                self._change.wait()
            return next(iter(self._queues))
