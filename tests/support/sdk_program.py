"""A program that uses the package as its users do: `configure()`, a spool on disk, `capture()`, `flush()`.

The adapter starts one for each SDK that the harness initialises, and tells it over a pipe what to do.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider

import otel_posthog
from otel_posthog.deliver.transport import HttpTransport
from otel_posthog.health import DELIVERED
from otel_posthog.policy import CaptureMode, Compression, DeliveryPolicy, Destination, IdentityMode, Policy
from otel_posthog.posthog.responses import Response
from otel_posthog.setup.configure import running

# The contract's own defaults, where a test does not say.
FLUSH_AT, FLUSH_INTERVAL_MS, MAX_RETRIES = 100, 500, 3
# What the contract calls options are properties to those who write `capture()`.
_OPTIONS = {"process_person_profile": "$process_person_profile"}


class RecordingTransport(HttpTransport):
    """The real transport, with a record of each request, and the header by which the harness tells tests apart."""

    requests: list[dict[str, Any]]
    test_id: str | None

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """Send one request and record what became of it."""
        named = {} if self.test_id is None else {"X-Test-Id": self.test_id}
        response = super().post(url, {**headers, **named}, body, timeout_s)
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


class Program:
    """One program.

    Args:
        given: The body of `/init`.
        capture_mode: The wire format.
    """

    def __init__(self, given: Mapping[str, Any], capture_mode: str) -> None:
        loggers = LoggerProvider(shutdown_on_exit=False)
        set_logger_provider(loggers)
        otel_posthog.configure(policy=policy(given, capture_mode), logger_provider=loggers)
        made = running()
        assert made is not None
        assert made.pipeline is not None
        self._health, self._pipeline = made.health, made.pipeline
        self._captured = 0

    def capture(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Emit one event as an app would."""
        options = {_OPTIONS[key]: value for key, value in (given.get("options") or {}).items() if key in _OPTIONS}
        properties = {**(given.get("properties") or {}), **options}
        event_id = otel_posthog.capture(
            given["event"], properties, distinct_id=given["distinct_id"], timestamp=given.get("timestamp") or None
        )
        self._captured += 1
        return {"success": True, "uuid": event_id}

    def flush(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Send all that waits; a key that is not accepted is waited for beyond that."""
        before = self._health.total(DELIVERED)
        otel_posthog.flush(given["timeout_s"])
        return {"success": True, "events_flushed": self._health.total(DELIVERED) - before}

    def state(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the contract asks for."""
        made = list(RecordingTransport.requests)
        failed = [each["status_code"] for each in made if each["status_code"] >= 300]
        return {
            "pending_events": self._pipeline._delivery.outstanding,
            "total_events_captured": self._captured,
            "total_events_sent": self._health.total(DELIVERED),
            "total_retries": sum(each["retry_attempt"] > 0 for each in made),
            "last_error": f"HTTP {failed[-1]}" if failed else None,
            "requests_made": made,
        }

    def close(self) -> None:
        """Drop what waits."""
        self._pipeline.discard("reset")
        otel_posthog.shutdown(0.5)


def policy(given: Mapping[str, Any], capture_mode: str) -> Policy:
    """Return what `/init` asks for."""
    mode = CaptureMode(capture_mode)
    return Policy(
        identity=IdentityMode.IDENTIFIED,
        destinations=(Destination(api_key=given["api_key"], host=given["host"], capture_mode=mode),),
        delivery=DeliveryPolicy(
            max_batch_events=given.get("flush_at") or FLUSH_AT,
            flush_interval_s=(given.get("flush_interval_ms") or FLUSH_INTERVAL_MS) / 1000,
            max_attempts=given.get("max_retries", MAX_RETRIES) + 1,
            compression=Compression.GZIP if given.get("enable_compression") else Compression.NONE,
            historical_migration=bool(given.get("historical_migration")),
        ),
    )


def serve(pipe: Connection, given: Mapping[str, Any], capture_mode: str, test_id: str | None, folder: str) -> None:
    """Be a program until the pipe is closed.

    Args:
        pipe: Asks by name and body, and gets a body back.
        given: The body of `/init`.
        capture_mode: The wire format.
        test_id: Of a harness that runs tests in parallel.
        folder: For the state and the spool.
    """
    for name in [each for each in os.environ if each.startswith(("POSTHOG_", "OTEL_"))]:
        del os.environ[name]
    os.environ["OTEL_POSTHOG_STATE_DIR"] = folder
    RecordingTransport.requests, RecordingTransport.test_id = [], test_id
    patch("otel_posthog.deliver.service.HttpTransport", RecordingTransport).start()
    program = Program(given, capture_mode)
    actions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "/capture": program.capture,
        "/flush": program.flush,
        "/state": program.state,
    }
    try:
        while True:
            name, body = pipe.recv()
            pipe.send(actions[name](body))
    except EOFError:
        program.close()
    finally:
        shutil.rmtree(Path(folder), ignore_errors=True)
