"""The local web server: the page, its stream, older items and rules, on a loopback address only.

One event loop on the main thread; sources fill the journal on threads of their own. `access` lets in who may.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import time_ns
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from otel_posthog.apps.explain.wording import DROPS, RULES
from otel_posthog.apps.inspector.access import Doorkeeper, Keys
from otel_posthog.apps.inspector.journal import Journal
from otel_posthog.apps.inspector.source import Source
from otel_posthog.apps.inspector.stream import events
from otel_posthog.errors import ConfigurationError
from otel_posthog.inspection.form import as_line
from otel_posthog.inspection.made_rules import RuleError
from otel_posthog.inspection.times import utc

PAGE = Path(__file__).with_name("page")
_MAX_LIMIT, _MAX_BODY_BYTES = 1000, 64 * 1024
_LOOK_S = 1.0
_VERSION = 1
_KINDS = ("derive", "allow", "sensitive_key")
# By a page of our own, and no redirect: a cookie of `SameSite=Strict` does not come with the redirect of a link.
_WELCOME = (
    '<!doctype html><html lang="en"><title>otel-posthog inspect</title>'
    '<link rel="icon" href="{base}/static/icon.svg"><meta http-equiv="refresh" content="0; url={base}/">'
    '<p><a href="{base}/">Open the inspector</a></p></html>'
)


class Inspector:
    """The ASGI application over one journal.

    Args:
        journal: What is shown.
        source: What fills it.
        keys: The secrets of this run.
    """

    def __init__(self, journal: Journal, source: Source, keys: Keys) -> None:
        self._journal, self._source, self._keys = journal, source, keys

    def application(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/", self._page),
            Route("/api/stream", self._stream),
            Route("/api/items", self._items),
            Route("/api/items/{seq:int}", self._item),
            Route("/api/words", self._words),
            Route("/api/rule", self._rule, methods=["POST"]),
            Mount("/static", StaticFiles(directory=PAGE)),
        ]
        return Starlette(
            routes=[Route("/", self._enter), Mount(self._keys.base, routes=routes)],
            middleware=[Middleware(Doorkeeper, keys=self._keys)],
            exception_handlers={Exception: _failed},
        )

    def state(self) -> dict[str, object]:
        """Return a `state`."""
        return {
            "type": "state",
            "version": _VERSION,
            "time": utc(time_ns()),
            **self._source.state(),
            "totals": self._journal.totals(),
        }

    async def _enter(self, request: Request) -> Response:
        if request.method == "HEAD":
            # Of what looks at an address before somebody opens it.
            return PlainTextResponse("", 405, headers={"allow": "GET"})
        cookie = self._keys.exchanged(request.query_params.get("token", ""))
        if cookie is not None:
            return HTMLResponse(_WELCOME.format(base=self._keys.base), headers={"set-cookie": cookie})
        return PlainTextResponse(
            "The address that `otel-posthog inspect` printed works once, and has been opened already or is another "
            "one. Look for the tab that is open, or start the command anew.\n",
            403,
        )

    async def _page(self, _: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def _stream(self, request: Request) -> Response:
        after = _number(request.headers.get("last-event-id") or request.query_params.get("after"))
        return StreamingResponse(events(self._journal, self.state, after), media_type="text/event-stream")

    async def _items(self, request: Request) -> Response:
        before = _number(request.query_params.get("before"))
        limit = min(_MAX_LIMIT, _number(request.query_params.get("limit")) or 200)
        found = self._journal.before(self._journal.last_seq + 1 if before is None else before, limit)
        has_more = bool(found) and found[0].seq > self._journal.first_seq
        body = '{{"items":[{}],"has_more":{}}}'.format(",".join(each.line for each in found), str(has_more).lower())
        return Response(body, media_type="application/json")

    async def _item(self, request: Request) -> Response:
        found = self._journal.item(request.path_params["seq"])
        if found is None:
            return _error(404, "this item is not kept any more")
        return Response(found.line, media_type="application/json")

    async def _words(self, _: Request) -> Response:
        return JSONResponse({"rules": RULES, "drops": DROPS})

    async def _rule(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _error(400, "Content-Type must be application/json")
        try:
            asked = await _body(request)
            seq, kind, key = asked["seq"], asked["kind"], asked.get("key", "")
            if kind not in _KINDS or not isinstance(key, str) or type(seq) is not int:
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError, ClientDisconnect):
            return _error(400, 'give {"seq": 17, "kind": "derive"}, or "allow" or "sensitive_key" with a "key"')
        found = self._journal.item(seq)
        if found is None:
            return _error(404, "this item is not kept any more")
        try:
            made = await asyncio.to_thread(self._source.rule, json.loads(found.line), kind, key)
            return Response(as_line(made), media_type="application/json")
        except RuleError as error:
            return _error(409, str(error))


class Server(uvicorn.Server):
    """A server whose streams end when it is told to stop.

    Args:
        config: As uvicorn's.
        stopped: Called then.
    """

    def __init__(self, config: uvicorn.Config, stopped: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopped = stopped

    def stop(self) -> None:
        """Stop, without a signal that is raised again."""
        self._stopped()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop."""
        self._stopped()
        super().handle_exit(sig, frame)


def listen(port: int) -> socket.socket:
    """Return a socket that listens on the loopback address.

    Raises:
        ConfigurationError: Nobody can listen there.
    """
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}; choose another --port"
        ) from None
    return listening


def serve(
    listening: socket.socket,
    source: Source,
    keys: Keys,
    ready: Callable[[], None] = lambda: None,
    journal: Journal | None = None,
) -> None:
    """Serve until a signal ends it.

    Args:
        listening: Where.
        source: What is shown.
        keys: Who may see it.
        ready: Called before the first request is answered.
        journal: What the source, which was started before, has filled already.
    """
    is_started, journal = journal is not None, journal or Journal()
    config = uvicorn.Config(
        Inspector(journal, source, keys).application(),
        # A browser that reads no more at the end is an error to it.
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    # The server raises a signal once more when it has stopped; to be stopped by one is how this ends well.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if not is_started:
        source.start(journal)
    ready()
    server = Server(config, lambda: journal.end("stopped"))
    _end_with_terminal(server)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        source.stop()
        listening.close()


def _end_with_terminal(server: Server) -> None:
    """Have a server end when the terminal does on which it was started: nobody else knows that it is there."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: server.stop())
    if not sys.stdout.isatty():
        return

    def watch() -> None:
        while sys.stdout.isatty():
            time.sleep(_LOOK_S)
        server.stop()

    threading.Thread(target=watch, name="inspect-terminal", daemon=True).start()


async def _body(request: Request) -> dict[str, Any]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError
    made = json.loads(body)
    if not isinstance(made, dict):
        raise TypeError
    return made


async def _failed(_: Request, error: Exception) -> Response:
    # Its text may hold anything.
    return _error(500, f"the inspector failed ({type(error).__name__})")


def _error(status: int, text: str) -> Response:
    return Response(as_line({"error": text}), status, media_type="application/json")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 16 else None
