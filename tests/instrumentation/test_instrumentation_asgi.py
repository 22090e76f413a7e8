"""Starlette and FastAPI: an event of a request is its user's, whoever knows that, and responses stay as they are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fastapi
import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor as Contrib
from opentelemetry.instrumentation.starlette import StarletteInstrumentor as ContribStarlette
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser, UnauthenticatedUser
from starlette.concurrency import run_in_threadpool
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from telemetry import NOBODY, Telemetry

from otel_posthog import set_user, set_user_source
from otel_posthog.actor.request import use_requests
from otel_posthog.policy import IdentityMode
from otel_posthog_instrumentation.asgi import PostHogASGIInstrumentor, PostHogMiddleware

OTHERS = ["alone", "contrib first", "contrib after"]


@contextmanager
def running(others: str = "alone", **policy: Any) -> Iterator[Telemetry]:
    """Have our hooks there, and contrib's before them or after."""
    contribs, ours = (Contrib(), ContribStarlette()), PostHogASGIInstrumentor()
    with pytest.MonkeyPatch.context() as patch, Telemetry(IdentityMode.IDENTIFIED, **policy) as telemetry:
        telemetry.use_for_requests(patch)
        if others == "contrib after":
            ours.instrument()
        if others != "alone":
            for each in contribs:
                each.instrument(tracer_provider=telemetry.tracer_provider)
        ours.instrument()
        try:
            yield telemetry
        finally:
            ours.uninstrument()
            if others != "alone":
                for each in contribs:
                    each.uninstrument()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Requests with our hooks alone."""
    with running() as telemetry:
        yield telemetry


class Backend(AuthenticationBackend):
    """Knows a user by a header."""

    async def authenticate(self, conn: Any) -> Any:
        """Return the user whom the header names."""
        name = conn.headers.get("x-user")
        return (AuthCredentials(), SimpleUser(name)) if name else None


async def by_state(request: Request, call_next: Callable[..., Any]) -> Any:
    """Put the user at `request.state.user`."""
    name = request.headers.get("x-user")
    if name:
        request.state.user = SimpleNamespace(id=name, email="ada@example.org")
    return await call_next(request)


def told(knows: str, emit: Callable[[str, str], None]) -> Callable[..., Any]:
    """Return a dependency that tells who the user is as `knows` says."""

    async def user_of(request: Request) -> None:
        name = request.headers.get("x-user")
        if knows == "set_user" and name:
            set_user(name)
        elif knows == "function":
            emit("early", request.query_params["n"])
            await asyncio.sleep(0)
            set_user_source(resolve=lambda: name or "")
        elif knows == "async function":

            async def resolve() -> str:
                await asyncio.sleep(0)
                return name or ""

            set_user_source(resolve=resolve)

    return user_of


def shop(telemetry: Telemetry, knows: str) -> FastAPI:
    """Return an app whose events are made everywhere, and whose user is known as `knows` says."""
    app = fastapi.FastAPI()
    if knows == "request.user":
        app.add_middleware(AuthenticationMiddleware, backend=Backend())
    elif knows == "request.state.user":
        app.add_middleware(BaseHTTPMiddleware, dispatch=by_state)

    def emit(name: str, n: str) -> None:
        telemetry.logger.emit(event_name=f"analytics.{name}", attributes={"analytics.n": n})

    user_of = told(knows, emit)

    @app.get("/async", dependencies=[Depends(user_of)])
    async def asynchronous(n: str, tasks: BackgroundTasks) -> dict[str, str]:
        await asyncio.sleep(0.001)
        emit("async", n)
        await run_in_threadpool(emit, "pool", n)
        tasks.add_task(emit, "background", n)
        return {"n": n}

    @app.get("/sync", dependencies=[Depends(user_of)])
    def synchronous(n: str) -> dict[str, str]:
        emit("sync", n)
        return {"n": n}

    @app.get("/stream", dependencies=[Depends(user_of)])
    async def streamed(n: str) -> StreamingResponse:
        async def parts() -> Any:
            for each in "ab":
                emit(f"part_{each}", n)
                yield each
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    @app.get("/quiet", dependencies=[Depends(user_of)])
    async def quiet() -> dict[str, str]:
        return {}

    return app


def get(app: Any, path: str = "/", **headers: str) -> httpx.Response:
    """Ask for one page."""

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop") as client:
            return await client.get(path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    return asyncio.run(answer())


KNOWS = ["request.user", "request.state.user", "set_user", "function", "async function"]
MADE = {"/async": {"async", "pool", "background"}, "/sync": {"sync"}, "/stream": {"part_a", "part_b"}}


async def ask(app: Any, count: int) -> list[httpx.Response]:
    """Have `count` users ask for every page at once, and nobody as often."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:

        async def get(path: str, user: str | None) -> httpx.Response:
            headers = {"x-user": user} if user else {}
            return await client.get(path, params={"n": f"{user}{path}"}, headers=headers)

        users = [*(f"u-{each}" for each in range(count)), None]
        return list(await asyncio.gather(*(get(path, user) for user in users for path in MADE)))


@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("knows", KNOWS)
def test_a_hundred_users_at_once_have_their_own_events(knows: str, others: str) -> None:
    """In coroutines, threads, background tasks and streams: none on the wrong person, none without one."""
    count = 100 if others == "contrib after" else 20
    with running(others) as telemetry:
        responses = asyncio.run(ask(shop(telemetry, knows), count))
    assert {each.status_code for each in responses} == {200}
    users = [*(f"u-{each}" for each in range(count)), None]
    found = {(each["event"], each["properties"]["n"]): each["distinct_id"] for each in telemetry.events}
    early = {"early"} if knows == "function" else set()
    expected = {
        (name, f"{user}{path}"): user or NOBODY
        for user in users
        for path, names in MADE.items()
        for name in names | early
    }
    assert found == expected
    assert len(telemetry.events) == len(expected)


@pytest.mark.parametrize("knows", KNOWS)
def test_responses_are_the_same_bytes_with_and_without_us(knows: str) -> None:
    """Headers and bodies, with events and without."""

    def answers(telemetry: Telemetry) -> list[tuple[int, bytes, list[tuple[bytes, bytes]]]]:
        return [
            (each.status_code, each.content, each.headers.raw) for each in asyncio.run(ask(shop(telemetry, knows), 2))
        ]

    with running() as telemetry:
        ours = answers(telemetry)
        PostHogASGIInstrumentor().uninstrument()
        use_requests(None)
        assert answers(telemetry) == ours


@pytest.mark.parametrize("is_ours_there", [True, False])
def test_the_recipe_of_the_documents_works(is_ours_there: bool, telemetry: Telemetry) -> None:
    """As it stands there, beside the instrumentor and without it."""
    text = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(from fastapi .*?)```", text, re.DOTALL)
    if not is_ours_there:
        PostHogASGIInstrumentor().uninstrument()
    names: dict[str, Any] = {}
    exec(recipe, names)

    @names["app"].get("/")  # type: ignore[untyped-decorator]
    async def page() -> None:
        telemetry.logger.emit(event_name="analytics.seen")

    assert get(names["app"], Cookie="session=u-1").status_code == 200
    assert telemetry.only["distinct_id"] == "u-1"


def test_nobody_is_looked_for_in_a_request_without_events(telemetry: Telemetry) -> None:
    """The app's function is called once for a request with events, and not at all for one without."""
    asked = list[str]()

    def user(scope: Any) -> str:
        asked.append(scope["path"])
        return "u-1"

    app = shop(telemetry, "nobody")
    for path in ("/quiet", "/async?n=1"):
        get(PostHogMiddleware(app, user=user), path)
    assert asked == ["/async"]
    assert {each["distinct_id"] for each in telemetry.events} == {"u-1"}


def test_a_function_that_blocks_runs_in_no_loop(telemetry: Telemetry) -> None:
    """It is called in a thread, where a loop does not wait for it."""
    in_loop = list[bool]()

    def user(_: Any) -> str:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            in_loop.append(False)
        return "u-1"

    get(PostHogMiddleware(shop(telemetry, "nobody"), user=user), "/async?n=1")
    assert in_loop == [False]


def test_the_user_is_found_before_the_response_is_out(telemetry: Telemetry) -> None:
    """Where there is a session to look into, a response that has begun may have closed it."""
    order = list[str]()

    async def page(request: Any) -> JSONResponse:
        telemetry.logger.emit(event_name="analytics.seen")
        return JSONResponse({})

    async def send(message: Any) -> None:
        order.append(message["type"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    app = PostHogMiddleware(Starlette(routes=[Route("/", page)]), user=lambda _: order.append("asked"))
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    assert order == ["asked", "http.response.start", "http.response.body"]


def test_nobody_is_looked_for_where_the_app_has_found_that_nobody_is_logged_in(telemetry: Telemetry) -> None:
    """Starlette's own middleware says so of a user."""
    asked = list[str]()
    app = PostHogMiddleware(shop(telemetry, "request.user"), user=lambda _: asked.append("asked"))
    get(app, "/async?n=1")
    assert asked == []
    assert {each["distinct_id"] for each in telemetry.events} == {NOBODY}


class Named(BaseUser):
    """A user of whom only Starlette's own name for the id is there."""

    identity = "u-1"
    is_authenticated = True


@pytest.mark.parametrize(
    ("user", "who"),
    [
        (SimpleNamespace(id=7), "7"),
        (SimpleNamespace(id=None, pk="u-1"), "u-1"),
        ({"sub": "u-1"}, "u-1"),
        ({"id": "u-1", "is_authenticated": True}, "u-1"),
        (Named(), "u-1"),
        (SimpleUser("u-1"), "u-1"),
        (SimpleUser("ada@example.org"), NOBODY),
        (SimpleNamespace(email="ada@example.org"), NOBODY),
        (UnauthenticatedUser(), NOBODY),
        (SimpleNamespace(id="anon", is_authenticated=False), NOBODY),
        ({"id": "anon", "is_authenticated": False}, NOBODY),
        ("u-1", "u-1"),
        (None, NOBODY),
    ],
)
def test_the_id_of_a_user_is_its_usual_attribute_and_no_email(user: object, who: str, telemetry: Telemetry) -> None:
    """Objects, mappings and plain ids at `request.state.user`."""

    async def page(request: Any) -> JSONResponse:
        request.state.user = user
        telemetry.logger.emit(event_name="analytics.seen")
        return JSONResponse({})

    assert get(Starlette(routes=[Route("/", page)])).status_code == 200
    assert telemetry.only["distinct_id"] == who


def test_the_browser_says_session_and_objection(telemetry: Telemetry) -> None:
    """And its window, by the headers of posthog-js, `Sec-GPC` and `DNT`; its distinct id is not believed."""

    async def page(request: Any) -> JSONResponse:
        set_user(request.query_params["user"])
        telemetry.logger.emit(event_name="analytics.seen")
        return JSONResponse({})

    app = Starlette(routes=[Route("/", page)])
    get(app, "/?user=u-1", X_POSTHOG_SESSION_ID="s-1", X_POSTHOG_WINDOW_ID="w-1", X_POSTHOG_DISTINCT_ID="u-9")
    get(app, "/?user=u-2", Sec_GPC="1")
    get(app, "/?user=u-3", DNT="1")
    assert telemetry.only["distinct_id"] == "u-1"
    assert "s-1" in str(telemetry.only)
    assert telemetry.only["window_id"] == "w-1"
    assert telemetry.dropped == {"consent": 2}


def test_events_of_a_web_socket_are_its_users_and_leave_while_it_is_open(telemetry: Telemetry) -> None:
    """With each message that the app sends, not when the socket is closed."""
    sent_after = list[int]()

    async def socket(websocket: Any) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            telemetry.logger.emit(event_name="analytics.said")
            await websocket.send_text(text)

    said = iter([{"type": "websocket.connect"}, *[{"type": "websocket.receive", "text": "hello"}] * 2])

    async def receive() -> Any:
        return next(said, {"type": "websocket.disconnect", "code": 1000})

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            sent_after.append(len(telemetry.events))

    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "subprotocols": []}
    app = PostHogMiddleware(Starlette(routes=[WebSocketRoute("/", socket)]), user=lambda _: "u-1")
    asyncio.run(app(scope, receive, send))
    assert sent_after == [1, 2]
    assert [each["distinct_id"] for each in telemetry.events] == ["u-1"] * 2


def test_it_can_be_put_in_twice_and_taken_out(telemetry: Telemetry) -> None:
    """One middleware in a stack; an app that has it passes it by afterwards."""
    app = Starlette()
    PostHogASGIInstrumentor().instrument()
    stack: Any = app.build_middleware_stack()
    assert [type(each) is PostHogMiddleware for each in (stack, stack.app)] == [False, True]
    assert not isinstance(stack.app.app, PostHogMiddleware)
    before = Starlette.build_middleware_stack, FastAPI.build_middleware_stack
    PostHogASGIInstrumentor().uninstrument()
    assert Starlette.build_middleware_stack is not before[0]
    assert FastAPI.build_middleware_stack is not before[1]
    fresh: Any = Starlette().build_middleware_stack()
    assert not isinstance(fresh.app, PostHogMiddleware)


def test_an_error_of_the_app_is_the_apps(telemetry: Telemetry) -> None:
    """It is raised through, and events before it are sent."""

    async def page(request: Any) -> JSONResponse:
        request.state.user = "u-1"
        telemetry.logger.emit(event_name="analytics.seen")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        get(Starlette(routes=[Route("/", page)]))
    assert telemetry.only["distinct_id"] == "u-1"
