"""RQ: a job's events are those of whoever sent it, however it was sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import rq_shop
from needs import needs
from opentelemetry.trace import SpanKind
from ports import free_port
from processes import running as running_program
from queued import making_events, whose
from redis import Redis
from rq import Queue, Retry, SimpleWorker
from rq.job import Job
from telemetry import NOBODY, Telemetry

from otel_posthog import set_user, user_context
from otel_posthog.actor import current_record
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT
from otel_posthog.policy import IdentityMode
from otel_posthog_instrumentation.rq import FIELD, PostHogRQInstrumentor

USERS = ["u-1", None, "u-2", "u-3"]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of these tests' own."""
    server, port = needs("redis-server", "keeps the jobs of RQ"), free_port()
    folder = tmp_path_factory.mktemp("redis")
    words = (server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
    with running_program(*words, environ=dict(os.environ)) as tree:
        tree.wait_for("Ready to accept connections")
        with Redis(port=port) as connection:
            yield connection


@contextmanager
def running(mode: IdentityMode, directory: Path) -> Iterator[Telemetry]:
    """Have jobs make events in an identity mode."""
    with making_events(rq_shop.emitters, mode, directory) as telemetry:
        PostHogRQInstrumentor().instrument()
        yield telemetry
        PostHogRQInstrumentor().uninstrument()


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[Telemetry]:
    """Jobs that make events in the mode `identified`."""
    with running(IdentityMode.IDENTIFIED, tmp_path) as telemetry:
        yield telemetry


@pytest.fixture
def queue(redis: Redis) -> Iterator[Queue]:
    """An empty queue, which is that of jobs that send more too."""
    redis.flushall()
    rq_shop.queues.append(Queue(connection=redis))
    yield rq_shop.queues[-1]
    rq_shop.queues.pop()


def work(queue: Queue) -> None:
    """Do all that is in a queue."""
    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")


def stored(redis: Redis) -> bytes:
    """Return all that Redis has."""
    hashes = [redis.hgetall(key) for key in redis.scan_iter() if redis.type(key) == b"hash"]
    return repr(hashes).encode() + b"".join(redis.dump(key) or b"" for key in redis.scan_iter())


def test_whoever_sent_a_job_acts_in_it(telemetry: Telemetry, queue: Queue) -> None:
    """Several users and nobody between them, in every way to send one: no event is another's or nobody's."""
    for user in USERS:
        for way, (send, _) in rq_shop.WAYS.items():
            with telemetry.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
                if user is not None:
                    set_user(user)
                send(queue, f"{user} {way}")
    work(queue)
    assert whose(telemetry) == {
        (name, f"{user} {way}", user or NOBODY): count
        for user in USERS
        for way, (_, counts) in rq_shop.WAYS.items()
        for name, count in counts.items()
    }


def test_who_comes_to_act_in_a_job_acts_from_then_on(telemetry: Telemetry, queue: Queue) -> None:
    """Without any span around it, and in no other job."""
    with user_context("u-1"):
        queue.enqueue(rq_shop.log_in, 1)
    queue.enqueue(rq_shop.work, 2)
    work(queue)
    assert whose(telemetry) == {("before", "1", "u-1"): 1, ("after", "1", "other-1"): 1, ("worked", "2", NOBODY): 1}


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        (IdentityMode.UNLINKED, []),
        (IdentityMode.INSTALLATION, []),
        (IdentityMode.DAILY, ["daily-"]),
        (IdentityMode.PSEUDONYMOUS, ["user-"]),
        (IdentityMode.IDENTIFIED, ["u-4711", "s-4711", "g-4711"]),
    ],
)
def test_redis_gets_what_the_mode_sends_and_no_more(
    mode: IdentityMode, shown: list[str], queue: Queue, tmp_path: Path
) -> None:
    """The event of the job is sent as one that is made where the job is sent; `meta` stays the app's."""
    with running(mode, tmp_path) as telemetry:
        with user_context("u-4711", session_id="s-4711", groups={"company": "g-4711"}):
            rq_shop.emitters[-1]("made", 1)
            job = queue.enqueue(rq_shop.work, 1, meta={"mine": 1})
        raw = stored(queue.connection)
        assert Job.fetch(job.id, connection=queue.connection).meta == {"mine": 1}
        work(queue)
    made, worked = telemetry.events
    assert made["distinct_id"] == worked["distinct_id"] or mode is IdentityMode.UNLINKED
    every = ["u-4711", "s-4711", "g-4711", "daily-", "user-"]
    assert [each for each in every if each.encode() in raw] == shown
    assert (FIELD.encode() in raw) is bool(shown)


@pytest.mark.parametrize("mode", [IdentityMode.INSTALLATION, IdentityMode.PSEUDONYMOUS, IdentityMode.IDENTIFIED])
def test_a_denial_goes_along_and_no_id_with_it(mode: IdentityMode, queue: Queue, tmp_path: Path) -> None:
    """The job is done, and nothing of it is sent."""
    with running(mode, tmp_path) as telemetry:
        with user_context("u-4711", consent=False):
            queue.enqueue(rq_shop.work, 1)
        assert b"4711" not in stored(queue.connection)
        queue.enqueue(rq_shop.work, 2)
        work(queue)
    assert [each["properties"]["n"] for each in telemetry.events] == ["2"]


def test_a_worker_without_the_hooks_does_the_job_and_leaves_what_it_does_not_know(
    telemetry: Telemetry, queue: Queue
) -> None:
    """A job of ours is one like any other there."""
    with user_context("u-4711"):
        job = queue.enqueue(rq_shop.again, 1, retry=Retry(1, interval=0))
    PostHogRQInstrumentor().uninstrument()
    work(queue)
    assert telemetry.names == ["try_1", "try_2"]
    assert b"u-4711" in queue.connection.hget(Job.key_for(job.id), FIELD)  # type: ignore[operator]


def test_an_app_without_the_package_set_up_keeps_nothing(queue: Queue) -> None:
    """Hooks alone say nothing."""
    PostHogRQInstrumentor().instrument()
    with user_context("u-4711"):
        queue.enqueue(rq_shop.work, 1)
    PostHogRQInstrumentor().uninstrument()
    assert FIELD.encode() not in stored(queue.connection)


def test_it_can_be_put_in_twice_and_taken_out() -> None:
    """The classes have the very functions that they had."""
    names = ("create", "to_dict", "restore", "perform")

    def functions() -> list[Any]:
        owner = next(each for each in SimpleWorker.__mro__ if "perform_job" in vars(each))
        return [*(vars(Job).get(name) for name in names), vars(owner)["perform_job"]]

    before = functions()
    for _ in range(2):
        PostHogRQInstrumentor().instrument()
    assert [each is old for each, old in zip(functions(), before, strict=True)] == [False, False, False, True, False]
    for _ in range(2):
        PostHogRQInstrumentor().uninstrument()
    assert functions() == before


def test_taken_out_below_another_it_does_nothing(
    telemetry: Telemetry, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stands around ours stays there, and ours is silent; put in again it speaks once."""
    inner = vars(Job)["to_dict"]

    def around(job: Job, *args: Any, **kwargs: Any) -> Any:
        return inner(job, *args, **kwargs)

    monkeypatch.setattr(Job, "to_dict", around)
    PostHogRQInstrumentor().uninstrument()
    with user_context("u-4711"):
        queue.enqueue(rq_shop.work, 1)
        assert FIELD.encode() not in stored(queue.connection)
        PostHogRQInstrumentor().instrument()
        queue.enqueue(rq_shop.work, 2)
    work(queue)
    assert whose(telemetry) == {("worked", "1", NOBODY): 1, ("worked", "2", "u-4711"): 1}
    PostHogRQInstrumentor().uninstrument()


def test_what_goes_wrong_in_a_hook_is_counted_and_the_job_is_done(
    telemetry: Telemetry, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By place and type."""
    monkeypatch.setattr(Guard, "reraise", False)
    monkeypatch.setattr("otel_posthog_instrumentation.rq.task_label", lambda: 1 // 0)
    monkeypatch.setattr("otel_posthog.actor.task.read", lambda _: 1 // 0)
    queue.enqueue(rq_shop.work, 1)
    work(queue)
    assert whose(telemetry) == {("worked", "1", NOBODY): 1}
    assert current_record() is None
    assert telemetry.counted(FAULT) == {"rq:ZeroDivisionError": 1, "task_begin:ZeroDivisionError": 1}
