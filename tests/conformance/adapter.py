"""The adapter through which PostHog's own harness (github.com/PostHog/posthog-sdk-test-harness) tests this package.

    python tests/conformance/adapter.py --port 8080 --capture-mode v1
    docker run --rm --network host ghcr.io/posthog/sdk-test-harness:latest run --adapter-url http://localhost:8080

It puts the harness's contract (its `ADAPTER_GUIDE.md` and `contracts/adapter_actions.yaml`) in front of the real
intake, pipeline and delivery; only the transport is wrapped, to keep the record that the contract asks for. The
capture mode decides which of the harness's suites runs: `v0` the one of `/batch/`, `v1` the one of Capture V1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from opentelemetry.sdk._logs import LoggerProvider

from otel_posthog.deliver import Delivery
from otel_posthog.deliver.transport import HttpTransport, Response
from otel_posthog.deliver.wire import sdk_info
from otel_posthog.errors import Guard
from otel_posthog.health import DELIVERED, Health
from otel_posthog.intake import LogIntake
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import (
    CaptureMode,
    Compression,
    DeliveryPolicy,
    Destination,
    Durability,
    IdentityMode,
    Policy,
)

ADAPTER_VERSION = "1.0.0"
# The contract's own defaults, where a test does not say.
FLUSH_AT, FLUSH_INTERVAL_MS, MAX_RETRIES = 100, 500, 3
# What PostHog's clients take as properties is telemetry of its own kind here.
_PREFIXES = {"$set": "analytics.user.set.", "$set_once": "analytics.user.set_once.", "$groups": "analytics.group."}


class RecordingTransport(HttpTransport):
    """The real transport, with a record of each request, and the header by which the harness tells tests apart."""

    def __init__(self, test_id: str | None) -> None:
        super().__init__()
        self._headers = {} if test_id is None else {"X-Test-Id": test_id}
        self.requests: list[dict[str, Any]] = []

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """Send one request and record what became of it."""
        response = super().post(url, {**headers, **self._headers}, body, timeout_s)
        plain = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        uuids = [event["uuid"] for event in json.loads(plain)["batch"]]
        earlier = sum(set(each["uuid_list"]) >= set(uuids) for each in self.requests)
        self.requests.append(
            {
                "timestamp_ms": int(time.time() * 1000),
                "status_code": response.status,
                "retry_attempt": earlier,
                "event_count": len(uuids),
                "uuid_list": uuids,
            }
        )
        return response


class Instance:
    """One initialised SDK.

    Args:
        given: The body of `/init`.
        capture_mode: The wire format.
        test_id: Of a harness that runs tests in parallel.
    """

    def __init__(self, given: Mapping[str, Any], capture_mode: CaptureMode, test_id: str | None) -> None:
        destination = Destination(api_key=given["api_key"], host=given["host"], capture_mode=capture_mode)
        delivery = DeliveryPolicy(
            durability=Durability.MEMORY,
            max_batch_events=given.get("flush_at", FLUSH_AT),
            flush_interval_s=given.get("flush_interval_ms", FLUSH_INTERVAL_MS) / 1000,
            max_attempts=given.get("max_retries", MAX_RETRIES) + 1,
            compression=Compression.GZIP if given.get("enable_compression") else Compression.NONE,
        )
        policy = Policy(identity=IdentityMode.IDENTIFIED, delivery=delivery, destinations=(destination,))
        self._health = Health()
        guard, self._transport = Guard(self._health), RecordingTransport(test_id)
        self._delivery = Delivery(policy, self._health, guard, transport=self._transport)
        self._pipeline = Pipeline(
            policy, installation_id="conformance", health=self._health, guard=guard, delivery=self._delivery
        )
        self._loggers = LoggerProvider(shutdown_on_exit=False)
        pipeline = self._pipeline
        self._loggers.add_log_record_processor(
            LogIntake(pipeline.submit, guard, flush=pipeline.flush, close=pipeline.flush_for_exit)
        )
        self._captured = 0

    def capture(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Emit one event as an app would."""
        event_id = str(uuid.uuid4())
        attributes = {"analytics.user.id": given["distinct_id"], "analytics.uuid": event_id}
        if given.get("timestamp"):
            attributes["analytics.timestamp"] = given["timestamp"]
        for key, value in (given.get("properties") or {}).items():
            if key in _PREFIXES:
                attributes.update({f"{_PREFIXES[key]}{name}": each for name, each in value.items()})
            else:
                attributes[f"analytics.property.{key}"] = value
        now_ns = time.time_ns()
        self._loggers.get_logger("conformance").emit(
            event_name=f"analytics.{given['event']}", attributes=attributes, timestamp=now_ns
        )
        self._captured += 1
        return {"success": True, "uuid": event_id}

    def flush(self, timeout_s: float) -> dict[str, Any]:
        """Send all that waits; a key that is not accepted is waited for beyond that."""
        before = self._health.total(DELIVERED)
        self._pipeline.flush(timeout_s)
        return {"success": True, "events_flushed": self._health.total(DELIVERED) - before}

    def state(self) -> dict[str, Any]:
        """Return what the contract asks for."""
        made = list(self._transport.requests)
        failed = [each["status_code"] for each in made if each["status_code"] >= 300]
        return {
            "pending_events": self._delivery.outstanding,
            "total_events_captured": self._captured,
            "total_events_sent": self._health.total(DELIVERED),
            "total_retries": sum(each["retry_attempt"] > 0 for each in made),
            "last_error": f"HTTP {failed[-1]}" if failed else None,
            "requests_made": made,
        }

    def close(self) -> None:
        """Drop what waits."""
        self._pipeline.discard("reset")
        self._pipeline.shutdown(0.5)


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
            KeyError: There is no such path, nothing initialised, or a field is missing.
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
        actions: dict[str, Callable[[], dict[str, Any]]] = {
            "/capture": lambda: instance.capture(given),
            "/flush": lambda: instance.flush(self._flush_timeout_s),
            "/state": instance.state,
        }
        return actions[path]()

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
                except KeyError as error:
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
