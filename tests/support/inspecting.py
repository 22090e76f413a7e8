"""`otel-posthog inspect` as a process, and a browser's part in talking to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMMAND = str(Path(sys.executable).with_name("otel-posthog"))


@dataclass
class Browser:
    """Who opened the address.

    Attributes:
        port: Of the server.
        base: The path below which the page is.
        cookie: What it was given.
    """

    port: int
    base: str
    cookie: str

    def ask(
        self, path: str, method: str = "GET", body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Return status, body and headers of an answer to what the page itself would ask."""
        own = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        if method == "POST":
            own |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        return ask(self.port, f"{self.base}/{path}", method, text, {**own, **(headers or {})})

    def json(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Return what an answer says."""
        return json.loads(self.ask(path, method, body)[1])

    def stream(self, path: str = "api/stream", last_event_id: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the messages of the stream, an item's number under `id`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Cookie": self.cookie} | ({} if last_event_id is None else {"Last-Event-ID": last_event_id})
        connection.request("GET", f"{self.base}/{path}", headers=headers)
        response = connection.getresponse()
        assert (response.status, response.headers.get_content_type()) == (200, "text/event-stream")
        try:
            yield from _messages(response)
        finally:
            connection.close()

    def until(self, kind: str, path: str = "api/stream", last_event_id: str | None = None) -> list[dict[str, Any]]:
        """Return the messages of the stream up to the first of a kind."""
        found = []
        for each in self.stream(path, last_event_id):
            found.append(each)
            if each["type"] == kind:
                break
        return found


def _messages(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    number: str | None = None
    for line in response:
        if line.startswith(b"id: "):
            number = line[4:].decode().strip()
        elif line.startswith(b"data: "):
            yield {**json.loads(line[6:]), "id": number}
            number = None


def ask(
    port: int, path: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, Mapping[str, str]]:
    """Return status, body and headers of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read(), dict(response.headers)
    finally:
        connection.close()


@contextmanager
def inspecting(*arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the address that works once, while `otel-posthog inspect` runs; check that it ends well."""
    command = [COMMAND, "inspect", "--no-browser", "--json", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environ or {})}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield json.loads(line)["url"]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert (process.returncode, said) == (0, ""), said
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def enter(url: str) -> Browser:
    """Open the address, as a browser does."""
    parts = urlsplit(url)
    status, page, headers = ask(parts.port or 0, f"/?{parts.query}")
    assert status == 200, page
    cookie, _, rest = headers["set-cookie"].partition("; Path=")
    return Browser(parts.port or 0, rest.partition(";")[0], cookie)
