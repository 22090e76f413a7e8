r"""The adapter through which PostHog's own harness (github.com/PostHog/posthog-sdk-test-harness) tests this package.

    python tests/conformance/adapter.py --port 8080 --capture-mode v1
    docker run --rm --network host ghcr.io/posthog/sdk-test-harness:latest run \
      --adapter-url http://localhost:8080 --suite capture --suite capture_v1

It puts the harness's contract (its `ADAPTER_GUIDE.md` and `contracts/adapter_actions.yaml`) in front of programs that
call `configure()`, with their events in a spool on disk; only the transport is wrapped, to keep the record that the
contract asks for. The capture mode decides which of the two suites has something to run: `v0` the one of `/batch/`,
`v1` the one of Capture V1.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from otel_posthog.policy import CaptureMode
from otel_posthog.posthog.requests import sdk_info

# Also where no pytest has put it there.
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import sdk_program

ADAPTER_VERSION = "1.1.0"
ACTIONS = ("/capture", "/flush", "/state")
EXIT_TIMEOUT_S = 10.0

# A program for each SDK, in milliseconds: what it imports is loaded once, in a process that has no thread.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["otel_posthog.setup.configure", "otel_posthog.emit", "opentelemetry.sdk._logs"])


class Instance:
    """One initialised SDK: a program of its own, which sets the package up and waits for what it is told.

    Args:
        given: The body of `/init`.
        capture_mode: The wire format.
        test_id: Of a harness that runs tests in parallel.
    """

    def __init__(self, given: Mapping[str, Any], capture_mode: CaptureMode, test_id: str | None) -> None:
        self._lock = threading.Lock()
        self._pipe, theirs = PROCESSES.Pipe()
        folder = tempfile.mkdtemp(prefix="otel-posthog-conformance-")
        self._process = PROCESSES.Process(
            target=sdk_program.serve, args=(theirs, dict(given), capture_mode.value, test_id, folder), daemon=True
        )
        self._process.start()
        theirs.close()

    def ask(self, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Have the program do `action` and return what it says."""
        with self._lock:
            self._pipe.send((action, given))
            answer: dict[str, Any] = self._pipe.recv()
        return answer

    def close(self) -> None:
        """End the program; it drops what waits."""
        self._pipe.close()
        self._process.join(EXIT_TIMEOUT_S)


class Adapter:
    """The contract's HTTP server.

    Args:
        capture_mode: `v0` or `v1`.
        port: 0 takes a free one.
        flush_timeout_s: The longest that `/flush` waits.
    """

    def __init__(self, capture_mode: CaptureMode, *, port: int = 0, flush_timeout_s: float = 10.0) -> None:
        self._capture_mode, self._flush_timeout_s = capture_mode, flush_timeout_s
        self._instances: dict[str | None, Instance] = {}
        self.http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def start(self) -> None:
        """Serve on a thread."""
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """End the server and every instance."""
        self.http.shutdown()
        self.http.server_close()
        for each in self._instances.values():
            each.close()

    def answer(self, path: str, test_id: str | None, given: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks for.

        Raises:
            KeyError: There is no such path, or nothing initialised.
            EOFError: The program has ended.
        """
        if path == "/health":
            return self._health()
        if path in {"/init", "/reset"}:
            old = self._instances.pop(test_id, None)
            if old is not None:
                old.close()
            if path == "/init":
                self._instances[test_id] = Instance(given, self._capture_mode, test_id)
            return {"success": True}
        instance = self._instances[test_id]
        if path not in ACTIONS:
            raise KeyError(path)
        return instance.ask(path, {"timeout_s": self._flush_timeout_s} if path == "/flush" else given)

    def _health(self) -> dict[str, Any]:
        name, _, version = sdk_info().partition("/")
        return {
            "sdk_name": name,
            "sdk_version": version,
            "adapter_version": ADAPTER_VERSION,
            "sdk_type": "server",
            "supports_parallel": True,
            "capabilities": [f"capture_{self._capture_mode.value}", "encoding_gzip"],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        adapter = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self._answer(json.loads(self.rfile.read(length) or b"{}"))

            def do_GET(self) -> None:
                self._answer({})

            def _answer(self, given: dict[str, Any]) -> None:
                parts = urlsplit(self.path)
                test_id = parse_qs(parts.query).get("test_id", [None])[0]
                try:
                    status, content = 200, adapter.answer(parts.path, test_id, given)
                except (KeyError, EOFError) as error:
                    status, content = 400, {"error": f"missing or unknown: {error}"}
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep the harness's output its own."""

        return Handler


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="otel-posthog behind the contract of PostHog's SDK test harness")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--capture-mode", choices=["v0", "v1"], default="v1")
    given = parser.parse_args()
    Adapter(CaptureMode(given.capture_mode), port=given.port).http.serve_forever()


if __name__ == "__main__":
    main()
