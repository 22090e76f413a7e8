"""Both ends of the load, each a process of its own.

`python -m benchmarks.gateway_load.traffic send PORT REQUESTS EVENTS CONNECTIONS ENCODING` sends requests over a few
connections, as fast as they are answered, and prints one JSON object. They are made beforehand, so that the load costs
nothing but sending; no two events in them are the same. `... receive PORT` is a server in PostHog's place that costs
little: it answers each batch with success and counts its events; GET answers with the count.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
import time
from base64 import b64decode
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import ClassVar

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

PROTOBUF, JSON = "protobuf", "json"
_MEDIA_TYPES = {PROTOBUF: "application/x-protobuf", JSON: "application/json"}


def send_all(
    port: int, requests: list[bytes], connections: int, path: str = "/v1/logs", encoding: str = PROTOBUF
) -> None:
    """Send all requests; print how long it took, and each answer, in seconds."""
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for body in requests:
        waiting.put(body)
    headers = {"Content-Type": _MEDIA_TYPES[encoding]}
    times_s: list[float] = []
    statuses: list[int] = []

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                body = waiting.get_nowait()
            except Empty:
                return
            start = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            times_s.append(time.perf_counter() - start)
            statuses.append(answer.status)

    threads = [threading.Thread(target=send) for _ in range(connections)]
    began, start = time.time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent_s = time.perf_counter() - start
    print(json.dumps({"began": began, "spent_s": spent_s, "times_s": times_s, "accepted": statuses.count(200)}))


TIME_NS = 1_790_000_000_000_000_000
PAGES = ("/tickets", "/tickets/{id}", "/search", "/reports/monthly")


def bodies(count: int, events: int, encoding: str = PROTOBUF) -> list[bytes]:
    """Return `count` requests of `events` log-based events each.

    Args:
        count: How many requests.
        events: How many events in each.
        encoding: `protobuf`, or `json` as OTLP has it.
    """
    requests = [_request(number * events, events) for number in range(count)]
    if encoding == JSON:
        return [_json(each) for each in requests]
    return [each.SerializeToString() for each in requests]


def _json(request: ExportLogsServiceRequest) -> bytes:
    """Return it in OTLP's own JSON, in which ids are hexadecimal."""
    document = MessageToDict(request)
    for record in document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        for key in ("traceId", "spanId"):
            record[key] = b64decode(record[key]).hex()
    return json.dumps(document, separators=(",", ":")).encode()


def _request(first: int, events: int) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    holder = request.resource_logs.add()
    for key, value in (("service.name", "shop"), ("service.version", "1.4.2"), ("telemetry.sdk.language", "java")):
        holder.resource.attributes.add(key=key).value.string_value = value
    scope = holder.scope_logs.add()
    for number in range(first, first + events):
        record = scope.log_records.add(event_name="analytics.ticket_opened", time_unix_nano=TIME_NS + number * 1000)
        record.trace_id, record.span_id = (number + 1).to_bytes(16, "big"), (number + 1).to_bytes(8, "big")
        add = record.attributes.add
        add(key="analytics.user.id").value.string_value = f"u-{number % 5000}"
        add(key="analytics.session.id").value.string_value = f"s-{number % 900}"
        add(key="analytics.page").value.string_value = PAGES[number % len(PAGES)]
        add(key="analytics.priority").value.string_value = "high" if number % 3 else "low"
        add(key="analytics.duration_ms").value.double_value = number % 700 + 0.5
        add(key="http.route").value.string_value = PAGES[number % len(PAGES)]
    return request


class Receiver(BaseHTTPRequestHandler):
    """A server in PostHog's place."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    taken: ClassVar[int] = 0
    lock: ClassVar[threading.Lock] = threading.Lock()

    def count(self, body: bytes) -> int:
        """Return how many items are in a request."""
        return body.count(b'"uuid":')

    def result(self) -> tuple[str, bytes]:
        """Return what a request is answered: media type and body."""
        # An event without a result of its own is delivered.
        return "application/json", b'{"results": {}}'

    def do_POST(self) -> None:
        """Count."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        with self.lock:
            Receiver.taken += self.count(plain)
        self._answer(*self.result())

    def do_GET(self) -> None:
        """Say how many."""
        self._answer("application/json", json.dumps(self.taken).encode())

    def _answer(self, media_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def receive(port: int, handler: type[Receiver] = Receiver) -> None:
    """Serve until killed."""
    ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "send":
        port, requests, events, connections = map(int, sys.argv[2:6])
        send_all(port, bodies(requests, events, sys.argv[6]), connections, encoding=sys.argv[6])
    else:
        receive(int(sys.argv[2]))
