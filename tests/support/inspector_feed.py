"""A stand-in for the inspector's server whose feed a test writes: items, states, broken connections, refusals.

It serves the files of the page as the server does, under the same Content-Security-Policy. What the server itself does
is for its own tests.
"""

from __future__ import annotations

import json
import mimetypes
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import otel_posthog
from otel_posthog.apps.explain.wording import drop_in_words, rule_in_words

PAGE = Path(otel_posthog.__file__).parent / "apps" / "inspector" / "page"
BASE = "/k7Qx/"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
NEWEST = 200
_RULES = ("email", "phone", "card", "ip", "secret", "sensitive_key", "allow_list", "user_id", "max_string_chars")
_DROPS = ("consent", "catalog_event", "name_invalid", "too_large")

Item = dict[str, Any]


class Feed:
    """What the page is told.

    Attributes:
        items: All that were pushed, with their `seq`.
        requests: The path of each request.
        rules: The bodies of what was asked of `api/rule`.
        answer: What `api/rule` answers: a status and a document.
        is_refusing: Whether the page's session is over.
        is_down: Whether each connection is broken off.
    """

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.requests: list[str] = []
        self.rules: list[dict[str, Any]] = []
        self.answer: tuple[int, dict[str, Any]] = (409, {"error": "no rule can be made of it"})
        self.is_refusing = self.is_down = False
        self.url = ""
        self._state: dict[str, Any] = state()
        self._streams: list[queue.Queue[str | None]] = []
        self._lock = threading.Lock()

    def push(self, *items: Mapping[str, Any]) -> None:
        """Send items to whoever looks; they get a `seq` and keep their other fields."""
        with self._lock:
            for item in items:
                self.items.append({**item, "seq": len(self.items) + 1})
                self._send(_message(self.items[-1]))

    def say(self, **parts: Any) -> None:
        """Send a `state` that has these parts from now on."""
        with self._lock:
            self._state |= parts
            self._send(_message(self.current_state()))

    def send(self, message: Mapping[str, Any]) -> None:
        """Send any message."""
        with self._lock:
            self._send(_message(message))

    def break_off(self) -> None:
        """Break every stream off."""
        with self._lock:
            self._send(None)

    def current_state(self) -> dict[str, Any]:
        """Return the `state` as it is now."""
        totals = self._state.get("totals") or {"items": len(self.items), "kept": len(self.items)}
        return {**self._state, "totals": {**totals, "last_seq": len(self.items)}}

    @contextmanager
    def stream(self, after: int | None) -> Iterator[queue.Queue[str | None]]:
        """Follow the feed, from an item on."""
        found: queue.Queue[str | None] = queue.Queue()
        with self._lock:
            found.put(_message(self.current_state()))
            held = self.items[-NEWEST:] if after is None else [each for each in self.items if each["seq"] > after]
            for item in held:
                found.put(_message(item))
            self._streams.append(found)
        try:
            yield found
        finally:
            with self._lock:
                self._streams.remove(found)

    def _send(self, message: str | None) -> None:
        for each in self._streams:
            each.put(message)


def state(**parts: Any) -> dict[str, Any]:
    """Return a `state` of one app that shows values and has delivered nothing yet."""
    return {
        "type": "state",
        "version": 1,
        "source": {"kind": "live", "name": "/run/inspect", "complete": False},
        "values_shown": True,
        "processes": [process()],
        "queue": {"worker_bytes": 0, "buffer_bytes": 0},
        "spool": [],
        "delivery": {"received": 0, "delivered": 0, "dropped": 0, "retried": 0, "reasons": [], "attempts": 0},
    } | parts


def process(pid: int = 4711, service: str = "helpdesk", **parts: Any) -> dict[str, Any]:
    """Return a connected app."""
    made = {"pid": pid, "service": service, "connected": True, "values_shown": True, "policy": "v1-ab12cd"}
    return made | {"started": "2026-01-01T12:00:00.000Z", "skipped": 0} | parts


@contextmanager
def serving_feed() -> Iterator[Feed]:
    """Serve the page with a feed that is empty as yet."""
    feed = Feed()
    handler = type("Handler", (_Handler,), {"feed": feed})
    server = _Server(("127.0.0.1", 0), handler)
    feed.url = f"http://127.0.0.1:{server.server_port}{BASE}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield feed
    finally:
        feed.is_down = True
        feed.break_off()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a page that is left breaks connections off."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    feed: Feed

    def do_GET(self) -> None:
        self.feed.requests.append(self.path)
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix(BASE)
        if self.feed.is_down:
            self.close_connection = True
        elif not url.path.startswith(BASE) or (self.feed.is_refusing and path.startswith("api/")):
            self._answer(403, b"{}", "application/json")
        elif path == "api/stream":
            self._stream(asked)
        elif path == "api/items":
            self._items(asked)
        elif path == "api/words":
            words = {
                "rules": {name: rule_in_words(name) for name in _RULES},
                "drops": {name: drop_in_words(name) for name in _DROPS},
            }
            self._answer(200, json.dumps(words).encode(), "application/json")
        else:
            self._file("index.html" if not path else path.removeprefix("static/"))

    def do_POST(self) -> None:
        self.feed.requests.append(self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.feed.rules.append(json.loads(body))
        status, document = self.feed.answer
        self._answer(status, json.dumps(document).encode(), "application/json")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _file(self, name: str) -> None:
        path = PAGE / name
        if not path.is_file():
            self._answer(404, b"", "text/plain")
            return
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        self._answer(200, path.read_bytes(), kind)

    def _items(self, asked: Mapping[str, str]) -> None:
        older = [each for each in self.feed.items if each["seq"] < int(asked["before"])]
        found = older[-int(asked["limit"]) :]
        body = {"items": found, "has_more": len(found) < len(older)}
        self._answer(200, json.dumps(body).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        with suppress(OSError):  # the page has been left
            self.end_headers()
            self.wfile.write(body)

    def _stream(self, asked: Mapping[str, str]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        after = asked.get("after")
        with self.feed.stream(None if after is None else int(after)) as messages:
            try:
                while (message := messages.get()) is not None:
                    self.wfile.write(message.encode())
                    self.wfile.flush()
            except OSError:
                pass


def _message(document: Mapping[str, Any]) -> str:
    number = f"id: {document['seq']}\n" if document.get("type") == "item" else ""
    return f"{number}data: {json.dumps(document)}\n\n"
