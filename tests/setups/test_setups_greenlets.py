"""Servers and workers that put greenlets in the place of threads after the package is set up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from processes import Tree, command, environment, running
from product import PER_CALL

from otel_posthog.testing import FakePostHog, Fault, OtlpSink

INSTRUMENT = command("opentelemetry-instrument")
GUNICORN = (INSTRUMENT, command("gunicorn"), "web:wsgi", "-k", "gevent", "--workers", "1", "--bind", "127.0.0.1:0")
REQUESTS = 20
# Ten times what a kill may take along: the machine may be busy.
PROMISED_S = 0.5


def expected(numbers: range) -> dict[tuple[str, int], int]:
    """Return each kind of event once for each number."""
    return {(kind, number): 1 for kind in ("spanned", "noted", "emitted") for number in numbers}


def came(posthog: FakePostHog) -> Counter[tuple[str, int]]:
    """Return how many of each event came."""
    return Counter((each.event, each.properties["n"]) for each in posthog.events)


def get(url: str, number: int) -> int:
    """Ask for the page with a number and return which process answered."""
    with urllib.request.urlopen(f"{url}/?n={number}", timeout=60) as answer:
        return int(json.load(answer)["pid"])


def served(tree: Tree, numbers: range) -> int:
    """Ask for a page for each number, some at a time, and return which process answered."""
    url = tree.wait_for(r"Listening at: (http://\S+)")[0]
    tree.wait_for(r"Booting worker with pid: (\d+)")
    with ThreadPoolExecutor(8) as pool:
        (pid,) = set(pool.map(partial(get, url), numbers))
    return pid


def test_gunicorns_gevent_workers_deliver(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """Patched after the fork, which is after set-up: what requests make is delivered while the worker lives."""
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url)
    with running(*GUNICORN, environ=variables) as tree:
        assert served(tree, range(REQUESTS)) != tree.process.pid
        fake_posthog.wait_for(REQUESTS * PER_CALL)
        tree.end(signal.SIGTERM)
        tree.wait_until_alone()
        assert "otel_posthog/" not in tree.out, tree.out
    assert came(fake_posthog) == expected(range(REQUESTS))
    assert b"analytics." not in otlp_sink.raw_bytes


def test_a_kill_of_a_gevent_worker_takes_nothing_along_that_is_promised(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """PostHog hangs up; what was made before the promised 50 ms is on disk, and the next process has it."""
    fake_posthog.fault(Fault(drop_connection=True, times=None))
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url)
    with running(*GUNICORN, environ=variables) as tree:
        worker = served(tree, range(REQUESTS))
        time.sleep(PROMISED_S)
        os.kill(worker, signal.SIGKILL)
    drain = (command("otel-posthog"), "spool", "drain")
    fake_posthog.clear_faults()
    done = subprocess.run(drain, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert came(fake_posthog) == expected(range(REQUESTS)), done


@pytest.mark.parametrize("pool", ["eventlet", "gevent"])
@pytest.mark.parametrize("is_reachable", [True, False])
def test_celerys_greenlet_pools_deliver_and_end(
    pool: str, is_reachable: bool, fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """Celery patches when it is imported; a SIGTERM ends the worker in time, whether PostHog is there or not."""
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    posthog = fake_posthog.url if is_reachable else "http://127.0.0.1:9"
    variables = environment(otlp=otlp_sink.url, posthog=posthog, CELERY_FOLDER=str(tmp_path))
    words = (INSTRUMENT, command("celery"), "-A", "celery_app", "worker", "-P", pool, "-c", "4", "-l", "INFO")
    with running(*words, environ=variables, cwd=tmp_path) as tree:
        tree.wait_for(r"celery@\S+ ready")
        send = "from celery_app import task\nfor number in range(4): task.delay(number)"
        with running(sys.executable, "-c", send, environ=variables, cwd=tmp_path) as sender:
            assert sender.process.wait(60) == 0, sender.out
        tree.wait_for(r"Task work\[\S+\] succeeded", 4)
        tree.process.send_signal(signal.SIGTERM)
        tree.process.wait(30)
        tree.wait_until_alone()
    if is_reachable:
        assert came(fake_posthog) == expected(range(4))
