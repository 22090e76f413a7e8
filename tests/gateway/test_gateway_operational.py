"""The gateway for operational telemetry as a process: what it passes on, and what it answers when the backend fails."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import grpc
import pytest
from gateway import JSON, PROTOBUF, Gateway
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from operational_gateway import Backend, operational_gateway, spans
from otlp import with_hex_ids
from two_ways import REQUESTS, emit, flattened

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink
from otel_posthog.testing.server import Answer

POLICY, GUARD = Policy(), Guard(Health())
WORK_TIMEOUT_S = 2
SERVICES = {
    "/v1/traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "/v1/logs": "opentelemetry.proto.collector.logs.v1.LogsService",
    "/v1/metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
}


@pytest.fixture(scope="module")
def of_module() -> Iterator[tuple[Gateway, Backend]]:
    """A gateway and its backend for all tests of the module."""
    limits = ("--work-timeout", str(WORK_TIMEOUT_S), "--max-items", "2000")
    with Backend() as backend, operational_gateway(*limits, backend=backend.url, grpc=True) as made:
        yield made, backend


@pytest.fixture
def running(of_module: tuple[Gateway, Backend]) -> Iterator[tuple[Gateway, Backend]]:
    """The same, with nothing in the backend and nothing wrong with it."""
    _, backend = of_module
    backend.requests.clear()
    backend.spans.clear()
    yield of_module
    backend.said = None
    backend.taking.set()


@pytest.fixture(scope="module")
def of_app() -> dict[str, list[bytes]]:
    """What an app with the package's exporters sends."""
    with OtlpSink() as sink:
        emit(sink.url, Redactor(POLICY.operational, Filter(POLICY.operational_privacy), GUARD), GUARD)
        return flattened(sink.requests)


@pytest.fixture(scope="module")
def plain() -> list[tuple[str, bytes]]:
    """What a plain app sends: path and body of each request."""
    with OtlpSink() as sink:
        emit(sink.url, None, GUARD)
        return [(each.path, each.body) for each in sink.requests]


def _call(made: Gateway, path: str, body: bytes, timeout_s: float = 30) -> bytes:
    with grpc.insecure_channel(f"127.0.0.1:{made.grpc_port}") as channel:
        call: Any = channel.unary_unary(f"/{SERVICES[path]}/Export")
        answer: bytes = call(body, timeout=timeout_s)
        return answer


def _as_json(path: str, body: bytes) -> bytes:
    return json.dumps(with_hex_ids(MessageToDict(REQUESTS[path][0].FromString(body)))).encode()


@pytest.mark.parametrize("way", ["protobuf", "json", "grpc"])
def test_the_backend_gets_what_an_app_with_the_package_sends(
    way: str,
    running: tuple[Gateway, Backend],
    of_app: dict[str, list[bytes]],
    plain: list[tuple[str, bytes]],
) -> None:
    """Item for item, over each protocol: every field, with values of every kind and type, of all three signals."""
    made, backend = running
    for path, body in plain:
        if way == "grpc":
            _call(made, path, body)
            continue
        content, media_type = (body, PROTOBUF) if way == "protobuf" else (_as_json(path, body), JSON)
        status, _, answer = made.post(path, content, media_type)
        assert (status, answer) == (200, b"" if way == "protobuf" else b"{}")
    arrived = flattened(backend.requests)
    for path, items in of_app.items():
        make = REQUESTS[path][0]
        assert [str(make.FromString(each)) for each in arrived[path]] == [str(make.FromString(each)) for each in items]


@pytest.mark.parametrize(
    ("said", "retry_after", "code"),
    [
        (Answer(503, b"", "text/plain", retry_after="17"), "17", "UNAVAILABLE"),
        (Answer(429, b"", "text/plain", retry_after="3"), "3", "UNAVAILABLE"),
        (Answer(502, b""), None, "UNAVAILABLE"),
        (Answer(504, b""), None, "UNAVAILABLE"),
        (Answer(400, Status(message="no such tenant").SerializeToString(), PROTOBUF), None, "INVALID_ARGUMENT"),
        (Answer(401, b"who is it", "text/plain"), None, "UNAUTHENTICATED"),
        (Answer(404, b"<html>", "text/html"), None, "UNIMPLEMENTED"),
        (Answer(413, b""), None, "RESOURCE_EXHAUSTED"),
        (Answer(500, b'{"message": "out of order"}'), None, "INTERNAL"),
        (Answer(422, b"\xff", PROTOBUF), None, "INVALID_ARGUMENT"),
    ],
)
def test_what_the_backend_refuses_is_refused(
    said: Answer, retry_after: str | None, code: str, running: tuple[Gateway, Backend]
) -> None:
    """Its status, what it says of it and when to retry, over HTTP and as what gRPC has for it."""
    made, backend = running
    backend.said = said
    status, headers, body = made.post("/v1/traces", spans("a"))
    assert (status, headers.get("Retry-After")) == (said.status, retry_after)
    message = Status.FromString(body).message
    assert message.startswith(f"the backend answers {said.status}")
    words = {400: "no such tenant", 401: "who is it", 500: "out of order"}.get(said.status, "")
    assert message.endswith(words)
    assert json.loads(made.post("/v1/traces", _as_json("/v1/traces", spans("a")), JSON)[2])["message"] == message
    with pytest.raises(grpc.RpcError) as refused:
        _call(made, "/v1/traces", spans("a"))
    error: Any = refused.value
    assert error.code().name == code
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    told = [RetryInfo.FromString(each.value).retry_delay.seconds for each in Status.FromString(details).details]
    assert told == ([int(retry_after)] if retry_after else [])
    assert not backend.spans


def test_a_date_to_retry_after_becomes_seconds(running: tuple[Gateway, Backend]) -> None:
    """As HTTP has both."""
    made, backend = running
    backend.said = Answer(503, b"", retry_after=formatdate(time.time() + 60, usegmt=True))
    assert 50 <= int(made.post("/v1/traces", spans("a"))[1]["Retry-After"]) <= 60


def test_a_redirect_is_no_answer(running: tuple[Gateway, Backend]) -> None:
    """It is not followed, and the sender keeps what it has."""
    made, backend = running
    backend.said = Answer(307, b"")
    assert made.post("/v1/traces", spans("a"))[0] == 502


@pytest.mark.parametrize(
    ("path", "make", "field"),
    [
        ("/v1/traces", ExportTraceServiceResponse, "rejected_spans"),
        ("/v1/logs", ExportLogsServiceResponse, "rejected_log_records"),
        ("/v1/metrics", ExportMetricsServiceResponse, "rejected_data_points"),
    ],
)
def test_a_partial_success_is_passed_on(
    path: str, make: type[Any], field: str, running: tuple[Gateway, Backend], plain: list[tuple[str, bytes]]
) -> None:
    """Of each signal, in the sender's encoding."""
    made, backend = running
    answer = make()
    answer.partial_success.error_message = "too old"
    setattr(answer.partial_success, field, 3)
    body = next(body for of, body in plain if of == path)
    backend.said = Answer(200, answer.SerializeToString(), PROTOBUF)
    status, _, raw = made.post(path, body)
    assert (status, type(answer).FromString(raw)) == (200, answer)
    assert json.loads(made.post(path, _as_json(path, body), JSON)[2]) == MessageToDict(answer)
    assert type(answer).FromString(_call(made, path, body)) == answer


@pytest.mark.parametrize("said", [Answer(204, b""), Answer(200, b"fine", "text/plain"), Answer(200, b"\xff", PROTOBUF)])
def test_any_success_of_the_backend_is_one(said: Answer, running: tuple[Gateway, Backend]) -> None:
    """Some answer without a message."""
    made, backend = running
    backend.said = said
    assert made.post("/v1/traces", spans("a"))[::2] == (200, b"")


def test_a_backend_that_hangs_is_not_waited_for_longer_than_the_limit(running: tuple[Gateway, Backend]) -> None:
    """503 after the time for work, or the sender's own; health is answered meanwhile."""
    made, backend = running
    backend.taking.clear()
    begun = time.monotonic()
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(made.post("/v1/traces", spans("a"))[0]))
    thread.start()
    assert made.get("/healthz")[0] == 200
    thread.join(30)
    assert answers == [503]
    assert time.monotonic() - begun < WORK_TIMEOUT_S + 5
    with pytest.raises(grpc.RpcError):
        _call(made, "/v1/traces", spans("a"), timeout_s=0.5)
    assert not backend.spans


def test_a_backend_that_is_away_is_503_and_comes_back(running: tuple[Gateway, Backend]) -> None:
    """Nothing is acknowledged meanwhile, and a retry arrives when it is there again."""
    made, backend = running
    assert made.post("/v1/traces", spans("first"))[0] == 200
    backend.stop()
    try:
        for _ in range(2):
            status, headers, body = made.post("/v1/traces", spans("second"))
            assert (status, headers["Retry-After"]) == (503, "5")
            assert Status.FromString(body).message == "the backend: it does not answer"
        assert made.get("/readyz")[0] == 200
    finally:
        backend.start()
    assert made.post("/v1/traces", spans("second"))[0] == 200
    assert [span.name for span in backend.spans] == ["first", "second"]


def test_a_request_that_cannot_be_read_goes_nowhere(running: tuple[Gateway, Backend]) -> None:
    """Neither protobuf nor JSON; an answer never holds a value of it."""
    made, backend = running
    for body, media_type in (
        (b"\xff\xff", PROTOBUF),
        (b"{", JSON),
        (b"[1]", JSON),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "ada@example.com"}]}]}]}', JSON),
        (b'{"resourceSpans": "ada@example.com"}', JSON),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, JSON),
    ):
        status, _, answer = made.post("/v1/traces", body, media_type)
        assert status == 400, body[:50]
        assert b"ada@" not in answer
    assert made.post("/v1/traces", spans(*["a"] * 2001))[0] == 413
    assert not backend.requests


def test_product_records_alone_are_not_sent(running: tuple[Gateway, Backend]) -> None:
    """They are acknowledged: their way to PostHog is another."""
    made, backend = running
    body = b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "analytics.bought"}]}]}]}'
    assert made.post("/v1/logs", body, JSON)[::2] == (200, b"{}")
    assert not backend.requests


def test_headers_and_urls_of_the_backend(tmp_path: Path) -> None:
    """Headers come from a file and the environment, each signal may have a URL of its own, bodies may be gzip."""
    file = tmp_path / "headers.txt"
    file.write_text("# of ours\nX-Scope-OrgID: tenant\nAuthorization: Basic YTpi\n")
    with Backend() as backend:
        more = ("--backend-headers-file", str(file), "--backend-compression", "gzip")
        urls = ("--backend-traces", f"{backend.url}/v1/traces?of=own")
        variables: dict[str, Any] = {
            "OTEL_POSTHOG_GATEWAY_BACKEND_HEADERS": "x-other=a%20b",
            "OTEL_POSTHOG_GATEWAY_TOKENS": "t" * 20,
        }
        with operational_gateway(*more, *urls, backend=f"{backend.url}/nowhere", **variables) as made:
            assert made.post("/v1/logs", b"")[0] == 401
            token = {"Authorization": f"Bearer {'t' * 20}"}
            status, _, _ = made.post("/v1/traces", spans("a"), **token)
            (request,) = backend.requests
            assert (status, request.path) == (404, "/v1/traces?of=own")
            made.post("/v1/logs", _logs(), **token)
            assert backend.requests[1].path == "/nowhere/v1/logs"
            assert "tttt" not in made.tree.out
            assert "YTpi" not in made.tree.out
    headers = request.headers
    assert (headers["x-scope-orgid"], headers["authorization"], headers["x-other"]) == ("tenant", "Basic YTpi", "a b")
    assert (headers["content-type"], headers["content-encoding"]) == (PROTOBUF, "gzip")
    assert b"ada@example.com" not in request.body
    assert ExportTraceServiceRequest.FromString(request.body).resource_spans


def _logs() -> bytes:
    return b"\x0a\x0c\x12\x0a\x12\x08\x2a\x06\x0a\x04fine"


def test_a_signal_without_a_backend_is_refused() -> None:
    """Its sender is told so, and does not retry."""
    with Backend() as backend:
        command = ("--backend-traces", f"{backend.url}/v1/traces")
        with operational_gateway(*command, backend="", grpc=True) as made:
            assert made.post("/v1/traces", spans("a"))[0] == 200
            status, _, body = made.post("/v1/logs", _logs())
            assert (status, Status.FromString(body).message) == (404, "this gateway has no backend for logs")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--operational",), "--operational needs --backend URL"),
        (("--operational", "--backend", "nowhere"), "a backend must be a URL"),
        (("--backend", "http://127.0.0.1:1"), "give --operational as well"),
        (("--operational", "--backend", "http://a", "--backend-headers-file", "/no/file"), "/no/file cannot be read"),
        (("--operational", "--backend", "http://a", "--policy", "/no/policy.yaml"), "/no/policy.yaml"),
        (("--operational", "--backend", "http://a", "--host", "0.0.0.0"), "there are no tokens"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], line: str) -> None:
    """What is wrong and what to write instead, before anything listens."""
    words = [str(Path(sys.executable).with_name("otel-posthog")), "gateway", *arguments]
    environ = {"PATH": os.environ["PATH"]}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert line in done.stderr


@pytest.mark.parametrize("header", ["no-colon", "bad name: x", "a:", "Content-Type: x", "a: \u00e9"])
def test_a_header_that_is_none_is_one_line(header: str, tmp_path: Path) -> None:
    """Nothing of it is shown: it may be the token itself."""
    file = tmp_path / "headers.txt"
    file.write_text(header)
    words = ["gateway", "--operational", "--backend", "http://a", "--backend-headers-file", str(file)]
    command = str(Path(sys.executable).with_name("otel-posthog"))
    environ = {"PATH": os.environ["PATH"]}
    done = subprocess.run([command, *words], env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "header" in done.stderr


def test_a_kill_loses_nothing_that_was_acknowledged() -> None:
    """Two workers under load, killed: whatever was answered 200 is in the backend."""
    acknowledged: list[str] = []
    with Backend() as backend, operational_gateway("--workers", "2", backend=backend.url) as made:
        stop = threading.Event()

        def send(sender: int) -> None:
            for number in range(100_000):
                name = f"{'abcd'[sender]} {number}"
                try:
                    if made.post("/v1/traces", spans(name))[0] == 200:
                        acknowledged.append(name)
                except (OSError, http.client.HTTPException):
                    pass
                if stop.is_set():
                    return

        threads = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 100:
            time.sleep(0.01)
        assert len(made.tree.pids) > 2
        os.killpg(made.tree.process.pid, signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(30)
        arrived = {span.name for span in backend.spans}
    assert len(acknowledged) >= 100
    assert set(acknowledged) <= arrived
