"""Servers with workers, started as people start them: every event exactly once, and no process left over."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from needs import needs
from ports import free_port
from processes import PROGRAMS, Tree, command, environment, running
from product import MAIL, PER_CALL

from otel_posthog.testing import FakePostHog, OtlpSink

INSTRUMENT = command("opentelemetry-instrument")
REQUESTS = 8


def get(url: str, number: int) -> int:
    """Ask for the page with a number, on a connection of its own, and return which process answered."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    try:
        connection.request("GET", f"/?n={number}")
        return int(json.loads(connection.getresponse().read())["pid"])
    finally:
        connection.close()


def assert_all_arrived(numbers: range, posthog: FakePostHog, sink: OtlpSink) -> None:
    """Require each kind of event once for each number, and an operational side that is clean of them."""
    came = Counter((each.event, each.properties["n"]) for each in posthog.events)
    assert came == {(kind, number): 1 for kind in ("spanned", "noted", "emitted") for number in numbers}
    assert sum(each.name == "work" for each in sink.spans) == len(numbers)
    assert b"analytics." not in sink.raw_bytes
    assert MAIL.encode() not in sink.raw_bytes


def assert_each_came(numbers: range, posthog: FakePostHog) -> None:
    """Require each kind of event once for each number; a child that ends while it sends may have one sent again."""
    came = Counter((each.event, each.properties["n"]) for each in posthog.unique_events)
    assert came == {(kind, number): 1 for kind in ("spanned", "noted", "emitted") for number in numbers}


def zombies(tree: Tree) -> list[int]:
    """Return the processes that have ended and were not waited for."""
    return [pid for pid, state in tree.pids.items() if state == "Z"]


GUNICORN = (INSTRUMENT, command("gunicorn"), "web:wsgi", "--workers", "2", "--bind", "127.0.0.1:0")
UVICORN = (INSTRUMENT, command("uvicorn"), "web:application", "--workers", "2", "--host", "127.0.0.1", "--port", "0")
# A worker that takes longer to start than 5 s is killed, which a busy machine would not forgive.
PATIENT = ("--timeout-worker-healthcheck", "60")


@pytest.mark.parametrize(
    ("words", "listening", "ready"),
    [
        (GUNICORN, r"Listening at: (http://\S+)", r"Booting worker with pid: (\d+)"),
        ((*GUNICORN, "--preload"), r"Listening at: (http://\S+)", r"Booting worker with pid: (\d+)"),
        ((*UVICORN, *PATIENT), r"running on (http://\S+)", r"Application startup complete"),
    ],
    ids=["gunicorn", "gunicorn --preload", "uvicorn"],
)
def test_each_worker_delivers_what_it_makes(
    words: tuple[str, ...], listening: str, ready: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Two workers, forked before or after the app is loaded, or spawned; a SIGTERM ends all, with nothing lost."""
    with running(*words, environ=environment(otlp=otlp_sink.url, posthog=fake_posthog.url)) as tree:
        url = tree.wait_for(listening)[0]
        tree.wait_for(ready, 2)
        workers = {get(url, number) for number in range(REQUESTS)}
        assert tree.process.pid not in workers
        assert zombies(tree) == []
        if "web:application" in words:
            # Its workers die of the SIGTERM that they have handled: no exit handler runs, OpenTelemetry's neither.
            fake_posthog.wait_for(REQUESTS * PER_CALL)
            otlp_sink.wait_for(lambda sink: sum(each.name == "work" for each in sink.spans) == REQUESTS)
        tree.end(signal.SIGTERM)
        tree.wait_until_alone()
        assert "otel_posthog/" not in tree.out, tree.out
    assert_all_arrived(range(REQUESTS), fake_posthog, otlp_sink)


def test_djangos_autoreloader_restarts_the_app_and_nothing_is_sent_twice(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """`runserver` starts a process that watches and one that serves; a change of the source ends the second."""
    for name in ("manage.py", "django_settings.py", "django_urls.py", "product.py"):
        shutil.copy(PROGRAMS / name, tmp_path)
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, PYTHONPATH=str(tmp_path))
    words = (INSTRUMENT, sys.executable, "manage.py", "runserver", f"127.0.0.1:{free_port()}")
    with running(*words, environ=variables, cwd=tmp_path) as tree:
        url = tree.wait_for(r"development server at (http://\S+?)/")[0]
        first = answer(lambda: get(url, 0))
        fake_posthog.wait_for(PER_CALL)
        (tmp_path / "django_urls.py").write_text((PROGRAMS / "django_urls.py").read_text() + "# changed\n")
        tree.wait_for(r"development server at (http://\S+?)/", 2)
        second = answer(lambda: get(url, 1))
        assert len({first, second, tree.process.pid}) == 3
        assert zombies(tree) == []
        fake_posthog.wait_for(2 * PER_CALL)
        otlp_sink.wait_for(lambda sink: sum(each.name == "work" for each in sink.spans) == 2)
        tree.end(signal.SIGTERM)
        tree.wait_until_alone()
        assert "otel_posthog/" not in tree.out, tree.out
    assert_all_arrived(range(2), fake_posthog, otlp_sink)


def test_celerys_workers_deliver_what_their_tasks_make(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """A pool of two processes that Celery forks; a warm shutdown loses nothing of the last task."""
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, CELERY_FOLDER=str(tmp_path))
    words = (INSTRUMENT, command("celery"), "-A", "celery_app", "worker", "--pool=prefork", "-c", "2", "-l", "INFO")
    with running(*words, environ=variables, cwd=tmp_path) as tree:
        tree.wait_for(r"celery@\S+ ready")
        send = "from celery_app import task\nfor number in range(4): task.delay(number)"
        with running(sys.executable, "-c", send, environ=variables, cwd=tmp_path) as sender:
            assert sender.process.wait(60) == 0, sender.out
        tree.wait_for(r"Task work\[\S+\] succeeded", 4)
        assert zombies(tree) == []
        assert tree.end(signal.SIGTERM) == 0, tree.out
        tree.wait_until_alone()
        assert "otel_posthog/" not in tree.out, tree.out
    assert_all_arrived(range(4), fake_posthog, otlp_sink)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of this test's own."""
    server, port = needs("redis-server", "keeps the jobs of RQ"), free_port()
    words = (server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    with running(*words, environ=dict(os.environ)) as tree:
        tree.wait_for("Ready to accept connections")
        yield f"redis://127.0.0.1:{port}"


def test_rqs_workers_deliver_what_the_jobs_of_their_children_make(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, redis_url: str, tmp_path: Path
) -> None:
    """A child for each job, which ends by `os._exit`: the worker, which makes no event, delivers while it lives."""
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url)
    words = (INSTRUMENT, command("rq"), "worker", "--url", redis_url)
    with running(*words, environ=variables, cwd=tmp_path) as tree:
        send = (
            f"from redis import Redis; from rq import Queue\nqueue = Queue(connection=Redis.from_url('{redis_url}'))\n"
            "for number in range(6): queue.enqueue('rq_app.job', number)"
        )
        with running(sys.executable, "-c", send, environ=variables, cwd=tmp_path) as sender:
            assert sender.process.wait(60) == 0, sender.out
        # RQ says what it does to its own handlers only, which the SDK's takes the place of.
        fake_posthog.wait_for(6 * PER_CALL, timeout_s=60)
        assert tree.end(signal.SIGTERM) == 0, tree.out
        tree.wait_until_alone()
        assert "otel_posthog/" not in tree.out, tree.out
    assert_each_came(range(6), fake_posthog)


def test_celerys_workers_that_end_after_a_few_tasks_lose_none(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """`--max-tasks-per-child`: what a child left is delivered while its parent lives."""
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, CELERY_FOLDER=str(tmp_path))
    pool = ("--pool=prefork", "-c", "1", "--max-tasks-per-child", "2", "-l", "INFO")
    with running(INSTRUMENT, command("celery"), "-A", "celery_app", "worker", *pool, environ=variables) as tree:
        tree.wait_for(r"celery@\S+ ready")
        send = "from celery_app import task\nfor number in range(10): task.delay(number)"
        with running(sys.executable, "-c", send, environ=variables) as sender:
            assert sender.process.wait(60) == 0, sender.out
        tree.wait_for(r"Task work\[\S+\] succeeded", 10)
        fake_posthog.wait_for(10 * PER_CALL, timeout_s=20)
        assert tree.end(signal.SIGTERM) == 0, tree.out
        tree.wait_until_alone()
        assert "otel_posthog/" not in tree.out, tree.out
    assert_each_came(range(10), fake_posthog)


def answer(ask: Callable[[], int]) -> int:
    """Return the answer once the server, which says that it listens a moment before it does, gives one."""
    deadline = time.monotonic() + 120
    while True:
        with contextlib.suppress(ConnectionError):
            return ask()
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.1)
