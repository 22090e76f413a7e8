"""Who acts, in requests that Flask, FastAPI and Celery make with their own instrumentations."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context

import httpx
import pytest
from celery import Celery  # type: ignore[import-untyped]
from celery.contrib.testing.worker import start_worker  # type: ignore[import-untyped]
from fastapi import BackgroundTasks, Depends, FastAPI
from flask import Flask, request
from opentelemetry import trace
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from telemetry import Telemetry

from otel_posthog import capture, set_user
from otel_posthog.intake import AnalyticsSampler, Lift

GPC, DNT = {"Sec-GPC": "1, 1"}, {"DNT": "1"}
Ask = Callable[..., int]
NAMES = ["first", "inside", "in_thread", "last", "server"]


@pytest.fixture(params=["on", "off, all", "off, marked", "off, off"])
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, sampled or not, with each way to lift; the two headers are captured."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST", "Sec-GPC,DNT")
    sampled, _, lift = request.param.partition(", ")
    with Telemetry(sampler=AnalyticsSampler(ALWAYS_ON if sampled == "on" else ALWAYS_OFF, Lift(lift or "all"))) as made:
        made.has_spans = sampled == "on" or lift == "all"  # type: ignore[attr-defined]
        yield made.use_for_capture(monkeypatch)


def view(app: Telemetry, last: Callable[[str], object] = capture) -> None:
    """Act as the view of a request does: on its own span, in one inside it, in a thread."""
    with app.tracer.start_as_current_span("work"):
        capture("inside")
        thread = threading.Thread(target=copy_context().run, args=(capture, "in_thread"))
        thread.start()
        thread.join()
    last("last")
    trace.get_current_span().set_attribute("analytics.event", "server")


def who(app: Telemetry) -> dict[str, str]:
    """Return the events since the last call, and who each is about."""
    found = {each["event"]: each["distinct_id"] for each in app.events}
    app.events.clear()
    return found


def expected(app: Telemetry, user: str, first: str = "installation-1") -> dict[str, str]:
    """Return what is sent of a request of `user`."""
    names = NAMES if app.has_spans else NAMES[:-1]  # type: ignore[attr-defined]
    return {name: first if name == "first" else user for name in names}


def flask_asks(app: Telemetry) -> Ask:
    """Return what asks a Flask app that learns who acts in `before_request`."""
    site = Flask("site")
    FlaskInstrumentor().instrument_app(site, tracer_provider=app.tracer_provider)  # type: ignore[no-untyped-call]

    @site.before_request
    def login() -> None:
        capture("first")
        set_user(request.args.get("user"))

    @site.get("/")
    def page() -> str:
        view(app)
        return "done"

    client = site.test_client()
    return lambda path, headers=None: client.get(path, headers=headers).status_code


def fastapi_asks(app: Telemetry) -> Ask:
    """Return what asks a FastAPI app that learns who acts in a dependency, which runs in a thread."""
    site = FastAPI()

    def login(user: str = "") -> None:
        capture("first")
        set_user(user)

    @site.get("/", dependencies=[Depends(login)])
    async def page(after: BackgroundTasks) -> str:
        view(app, lambda name: after.add_task(capture, name))
        return "done"

    FastAPIInstrumentor().instrument_app(site, tracer_provider=app.tracer_provider, exclude_spans=["receive", "send"])

    async def ask(path: str, headers: dict[str, str]) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://site") as client:
            return (await client.get(path, headers=headers)).status_code

    return lambda path, headers=None: asyncio.run(ask(path, headers or {}))


@pytest.mark.parametrize("asks", [flask_asks, fastapi_asks])
def test_a_web_apps_request_is_about_who_logs_in_and_about_nobody_else(
    asks: Callable[[Telemetry], Ask], app: Telemetry
) -> None:
    """From `before_request`, or a dependency in a thread, to the view, its threads and the server's own span."""
    ask = asks(app)
    for user in ("ada", "bob"):
        assert ask(f"/?user={user}") == 200
        assert who(app) == expected(app, user)


@pytest.mark.parametrize("headers", [GPC, DNT])
@pytest.mark.parametrize("asks", [flask_asks, fastapi_asks])
def test_a_web_apps_request_with_an_objection_sends_nothing(
    asks: Callable[[Telemetry], Ask], headers: dict[str, str], app: Telemetry
) -> None:
    """Whatever the sampler decides, and though the instrumentation sets the header after the span's start."""
    ask = asks(app)
    assert ask("/?user=ada", headers) == 200
    assert who(app) == {}
    assert app.dropped == {"consent": len(NAMES) if app.has_spans else len(NAMES) - 1}  # type: ignore[attr-defined]
    assert ask("/?user=ada", {"Sec-GPC": "0"}) == 200
    assert who(app) == expected(app, "ada")


@pytest.fixture
def _level_of_the_root_logger() -> Iterator[None]:
    """A worker sets it."""
    before = logging.root.level
    yield
    logging.root.setLevel(before)


@pytest.mark.usefixtures("_level_of_the_root_logger")
def test_a_celery_task_is_a_request(app: Telemetry) -> None:
    """Of a worker with a thread of its own; the next task begins with nobody."""
    queue = Celery(f"queue-{id(app)}", broker="memory://", backend="cache+memory://", set_as_current=False)
    queue.conf.update(task_ignore_result=True, worker_hijack_root_logger=False, worker_redirect_stdouts=False)
    done = threading.Semaphore(0)

    @queue.task(name=f"work-{id(app)}")  # type: ignore[untyped-decorator]
    def work(user: str, consent: bool | None) -> None:
        capture("first")
        set_user(user, consent=consent)
        view(app)

    @queue.task(name=f"ended-{id(app)}")  # type: ignore[untyped-decorator]
    def ended() -> None:
        done.release()

    instrumentor = CeleryInstrumentor()  # type: ignore[no-untyped-call]
    instrumentor.instrument(tracer_provider=app.tracer_provider)
    try:
        with start_worker(queue, pool="solo", perform_ping_check=False, shutdown_timeout=60):
            for user, consent in (("ada", None), ("bob", False)):
                work.delay(user, consent)
                ended.delay()
                assert done.acquire(timeout=60)
                assert who(app) == (expected(app, user) if consent is None else {"first": "installation-1"})
    finally:
        instrumentor.uninstrument()
