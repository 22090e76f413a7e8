"""A Celery app with a worker of its own in this process, whose tasks make events."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery, chain, chord, group  # type: ignore[import-untyped]
from celery.contrib.testing.worker import start_worker  # type: ignore[import-untyped]
from celery.worker import state  # type: ignore[import-untyped]

from otel_posthog import set_user

Emit = Callable[[str, object], None]

app = Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
app.conf.update(broker_connection_retry_on_startup=True, task_default_queue=f"shop-{os.getpid()}")
app.conf.broker_transport_options = {"polling_interval": 0.01}

emitters: list[Emit] = []
"""The last one makes the events: name, and what is the property `n`."""


def _emit(name: str, n: object) -> None:
    emitters[-1](name, n)


@app.task(name="work")  # type: ignore[untyped-decorator]
def work(*_: object, n: object = None) -> None:
    """Make an event."""
    _emit("worked", n)


@app.task(name="again", bind=True, max_retries=2)  # type: ignore[untyped-decorator]
def again(self: Any, n: object) -> None:
    """Make an event, and be tried three times."""
    _emit(f"try_{self.request.retries}", n)
    if self.request.retries < self.max_retries:
        raise self.retry(countdown=0)


@app.task(name="send_more")  # type: ignore[untyped-decorator]
def send_more(n: object) -> None:
    """Send another task."""
    work.delay(n=n)


@app.task(name="log_in")  # type: ignore[untyped-decorator]
def log_in(n: object) -> None:
    """Have another user act from the middle on."""
    _emit("before", n)
    assert set_user(f"other-{n}")
    _emit("after", n)


@app.task(name="fail")  # type: ignore[untyped-decorator]
def fail(n: object) -> None:
    """Fail."""
    raise ValueError(n)


@app.task(name="headers", bind=True)  # type: ignore[untyped-decorator]
def headers(self: Any) -> Any:
    """Return the headers that the app sees."""
    return self.request.headers


WAYS: dict[str, tuple[Callable[[str], object], dict[str, int]]] = {
    "delay": (lambda n: work.delay(n=n), {"worked": 1}),
    "by name": (lambda n: app.send_task("work", kwargs={"n": n}), {"worked": 1}),
    "later": (lambda n: work.apply_async(kwargs={"n": n}, countdown=0.1), {"worked": 1}),
    "chain": (lambda n: chain(work.s(n=n), work.s(n=n))(), {"worked": 2}),
    "group": (lambda n: group(work.s(n=n) for _ in range(3))(), {"worked": 3}),
    "chord": (lambda n: chord([work.s(n=n)] * 2)(work.s(n=n)), {"worked": 3}),
    "retry": (again.delay, {"try_0": 1, "try_1": 1, "try_2": 1}),
    "from a task": (send_more.delay, {"worked": 1}),
    "callback": (lambda n: work.apply_async(kwargs={"n": n}, link=work.s(n=n)), {"worked": 2}),
    "errback": (lambda n: fail.apply_async((n,), link_error=work.si(n=n)), {"worked": 1}),
    "eagerly": (lambda n: work.apply(kwargs={"n": n}), {"worked": 1}),
}
"""Every way to send a task: what sends it, and how many events of which names there are then."""


@contextmanager
def worker(pool: str) -> Iterator[None]:
    """Run a worker in a thread of this process."""
    with start_worker(app, pool=pool, concurrency=4, perform_ping_check=False, shutdown_timeout=60):
        yield


def wait_until(is_done: Callable[[], bool]) -> None:
    """Wait, at most 20 s, until something holds and no task runs; what is missing is for the test to tell."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if is_done() and not (state.reserved_requests or state.active_requests):
            return
        time.sleep(0.02)
