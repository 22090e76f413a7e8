"""Jobs for RQ whose events are made in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rq import Callback, Queue, Retry

from otel_posthog import set_user

emitters: list[Callable[[str, object], None]] = []
"""The last one makes the events: name, and what is the property `n`."""

_tries: dict[object, int] = {}


def work(n: object) -> None:
    """Make an event."""
    emitters[-1]("worked", n)


def again(n: object) -> None:
    """Make an event, and fail the first time."""
    _tries[n] = _tries.get(n, 0) + 1
    emitters[-1](f"try_{_tries[n]}", n)
    if _tries[n] == 1:
        raise ValueError(n)


def send_more(n: object) -> None:
    """Send another job."""
    queues[-1].enqueue(work, n)


def log_in(n: object) -> None:
    """Have another user act from the middle on."""
    emitters[-1]("before", n)
    assert set_user(f"other-{n}")
    emitters[-1]("after", n)


def done(job: Any, *_: object) -> None:
    """Make an event when a job has succeeded or failed."""
    emitters[-1]("called_back", job.args[0])


def fail(n: object) -> None:
    """Fail."""
    raise ValueError(n)


queues: list[Queue] = []
"""The last one takes what jobs send."""


def _depend(queue: Queue, n: str) -> None:
    queue.enqueue(work, n, depends_on=queue.enqueue(work, n))


WAYS: dict[str, tuple[Callable[[Queue, str], object], dict[str, int]]] = {
    "enqueue": (lambda queue, n: queue.enqueue(work, n), {"worked": 1}),
    "by name": (lambda queue, n: queue.enqueue("rq_shop.work", n), {"worked": 1}),
    "many": (lambda queue, n: queue.enqueue_many([Queue.prepare_data(work, (n,))] * 2), {"worked": 2}),
    "after another": (_depend, {"worked": 2}),
    "retry": (lambda queue, n: queue.enqueue(again, n, retry=Retry(1)), {"try_1": 1, "try_2": 1}),
    "from a job": (lambda queue, n: queue.enqueue(send_more, n), {"worked": 1}),
    "success": (lambda queue, n: queue.enqueue(work, n, on_success=Callback(done)), {"worked": 1, "called_back": 1}),
    "failure": (lambda queue, n: queue.enqueue(fail, n, on_failure=Callback(done)), {"called_back": 1}),
    "at once": (
        lambda queue, n: Queue(connection=queue.connection, is_async=False).enqueue(work, n),
        {"worked": 1},
    ),
}
"""Every way to send a job: what sends it, and how many events of which names there are then."""
