"""A gateway that lets its user look on."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import closing
from pathlib import Path

from inspecting import COMMAND
from looked_at import items, until_there
from ports import free_port

MAIL = "jo@planted.example.org"


def test_a_gateway_feeds_the_same_tap(tmp_path: Path) -> None:
    """What is sent to it is shown as an app's is: what leaves, and of the rest keys and rules."""
    port = free_port()
    environ = {
        **os.environ,
        "POSTHOG_API_KEY": "phc_test",
        "POSTHOG_HOST": "http://127.0.0.1:9",
        "OTEL_POSTHOG_STATE_DIR": str(tmp_path),
        "OTEL_POSTHOG_INSPECT": "1",
        "OTEL_POSTHOG_ENABLED": "preview",
    }
    command = [COMMAND, "gateway", "--port", str(port), "--grpc-port", "0"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        (path,) = until_there(tmp_path / "inspect", 1)
        _wait(port)
        _send(port, {"analytics.event": "paid", "analytics.note": f"mail {MAIL}", "url.full": f"http://x/{MAIL}"})
        (item,) = items(path, 1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    (sent,) = item["events"][0]["destinations"]
    assert (item["kind"], sent["name"]) == ("span", "paid")
    assert sent["event"]["properties"]["note"] == "mail [email]"
    assert {"key": "url.full", "rule": "allow_list", "action": "removed"} in sent["changes"]
    assert MAIL not in json.dumps(item)
    assert list((tmp_path / "inspect").iterdir()) == []


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with closing(socket.socket()) as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def _send(port: int, attributes: dict[str, str]) -> None:
    span = {
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "spanId": "00f067aa0ba902b7",
        "name": f"GET /{MAIL}",
        "kind": 2,
        "startTimeUnixNano": "1767268800000000000",
        "endTimeUnixNano": "1767268800120000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/traces", body, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
