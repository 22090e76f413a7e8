"""Who acts, in real servers and workers: no event on the wrong person, and no id where it does not belong."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path

import httpx
from processes import command, environment, running

from otel_posthog.testing import FakePostHog, OtlpSink

INSTRUMENT = command("opentelemetry-instrument")
IDENTIFIED = {"OTEL_POSTHOG_IDENTITY": "identified"}
USERS = 100


async def visit(url: str) -> set[int]:
    """Have every user ask for both pages at once; return which processes answered."""
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        asked = (
            client.get(path, params={"n": n}, headers={"Cookie": f"user=person-{n}"})
            for n in range(USERS)
            for path in ("/", "/threaded")
        )
        return {each.json()["pid"] for each in await asyncio.gather(*asked)}


def test_a_hundred_users_of_a_fastapi_app_in_two_workers(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """In an app that says nothing of them, under uvicorn; no user's id in any byte of the operational side."""
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, **IDENTIFIED)
    variables["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = "celery,dbapi,django,pymongo,requests,urllib3"
    words = (INSTRUMENT, command("uvicorn"), "fastapi_shop:app", "--workers", "2", "--host", "127.0.0.1", "--port", "0")
    with running(*words, "--timeout-worker-healthcheck", "60", environ=variables) as tree:
        url = tree.wait_for(r"running on (http://\S+)")[0]
        tree.wait_for(r"Application startup complete", 2)
        assert len(asyncio.run(visit(url))) == 2
        fake_posthog.wait_for(4 * USERS, timeout_s=60)
        tree.end(signal.SIGTERM)
        tree.wait_until_alone()
        assert "otel_posthog/" not in tree.out, tree.out
    came = Counter((each.event, each.properties["n"], each.distinct_id) for each in fake_posthog.events)
    names = ("seen", "pooled", "afterwards", "threaded")
    assert came == {(name, n, f"person-{n}"): 1 for n in range(USERS) for name in names}
    assert b"person-" not in otlp_sink.raw_bytes


def test_a_celery_worker_knows_who_sent_what(fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """In processes that the worker forks; the operational side has no byte of an id."""
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, CELERY_FOLDER=str(tmp_path), **IDENTIFIED)
    variables["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = "asgi,dbapi,django,fastapi,pymongo,requests,urllib3"
    send = (
        "from celery_app import task\nfrom otel_posthog import user_context\n"
        "for number in range(8):\n    with user_context(f'person-{number}'):\n        task.delay(number)"
    )
    with running(INSTRUMENT, sys.executable, "-c", send, environ=variables, cwd=tmp_path) as sender:
        assert sender.process.wait(60) == 0, sender.out
    stored = b"".join(each.read_bytes() for each in (tmp_path / "queue").iterdir())
    assert stored.count(b"person-") == 8
    words = (INSTRUMENT, command("celery"), "-A", "celery_app", "worker", "--pool=prefork", "-c", "2", "-l", "INFO")
    with running(*words, environ=variables, cwd=tmp_path) as tree:
        fake_posthog.wait_for(8 * 3, timeout_s=60)
        assert tree.end(signal.SIGTERM) == 0, tree.out
        tree.wait_until_alone()
    assert {(each.properties["n"], each.distinct_id) for each in fake_posthog.events} == {
        (number, f"person-{number}") for number in range(8)
    }
    assert b"person-" not in otlp_sink.raw_bytes
