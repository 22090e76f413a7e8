"""What three apps without a line of analytics do, whatever framework serves them; and the visits of one user.

They import nothing of OpenTelemetry and nothing of this package: only a framework, `sqlite3`, an HTTP client, Celery.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from celery import Celery  # type: ignore[import-untyped]

PATHS = (
    *("/", "/orders/7", "/api/orders", "/api/broken", "/search?q=ludwig", "/orders/export", "/report", "/pay", "/wait"),
    *("/queue", "/static/app.js", "/nowhere"),
)
_TABLE = "CREATE TABLE orders (id integer, customer text)"

queue = Celery("shop", broker="memory://")
queue.conf.task_always_eager = True


@queue.task(name="shop.mail")  # type: ignore[untyped-decorator]
def mail(address: str) -> None:
    """Do a job that succeeds."""


@queue.task(name="shop.charge")  # type: ignore[untyped-decorator]
def charge(customer: str) -> None:
    """Do a job that fails."""
    raise LookupError(customer)


def broken() -> str:
    """Fail."""
    raise ValueError("ludwig@example.org")


def report() -> str:
    """Ask the database a question that takes long."""
    connection = sqlite3.connect(":memory:")
    connection.create_function("wait", 0, lambda: time.sleep(0.1))
    connection.cursor().execute(_TABLE)
    connection.cursor().execute("INSERT INTO orders VALUES (1, 'ludwig')")
    connection.cursor().execute("SELECT wait(), id FROM orders WHERE customer = 'ludwig'").fetchall()
    connection.close()
    return "report"


def pay(get: Callable[..., Any]) -> str:
    """Call another service, which fails."""
    get(f"http://127.0.0.1:{other_service()}/down?card=4111", timeout=5)
    return "paid"


def wait(get: Callable[..., Any]) -> str:
    """Call another service, which does not answer in time."""
    with contextlib.suppress(Exception):
        get(f"http://127.0.0.1:{other_service()}/slow", timeout=0.05)
    return "waited"


def enqueue() -> str:
    """Have two jobs done."""
    mail.delay("ludwig@example.org")
    charge.delay("ludwig")
    return "queued"


class _Other(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.3)
        with contextlib.suppress(OSError):
            self.send_response(503)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@cache
def other_service() -> int:
    """Start another service in this process, once, which no instrumentation knows; return its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_port)


def visit(port: int) -> None:
    """Ask for every path."""
    for path in PATHS:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()
