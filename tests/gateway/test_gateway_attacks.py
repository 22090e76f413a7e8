"""Somebody means harm: what little it costs to send costs little here, and everybody else is served."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import grpc
import otlp_shapes
import pytest
import zstandard
from gateway import JSON, PROTOBUF, Gateway, gateway, logs_request
from google.rpc.status_pb2 import Status
from ports import free_port

from otel_posthog.testing import FakePostHog

TOKEN = "a0" * 10
BEARER = f"Bearer {TOKEN}"
LOGS, TRACES = (
    f"/opentelemetry.proto.collector.{path}/Export" for path in ("logs.v1.LogsService", "trace.v1.TraceService")
)
MANY = 7_000_000
# Measured 30 to 90 MiB; without the bounds each of these took from 300 MiB to 1.6 GiB.
GROWTH_MIB = 200
HEAD = f"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PROTOBUF}\r\n"


@pytest.fixture(scope="module")
def receiver(posthog: FakePostHog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a token, and limits as they are."""
    directory = tmp_path_factory.mktemp("gateway")
    with gateway(posthog=posthog.url, directory=directory, grpc=True, OTEL_POSTHOG_GATEWAY_TOKENS=TOKEN) as made:
        yield made


@pytest.fixture(scope="module")
def open_receiver(posthog: FakePostHog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for the programs of this machine, with few connections and little time for headers."""
    directory = tmp_path_factory.mktemp("open")
    options = ("--max-connections", "3", "--header-timeout", "1", "--body-timeout", "2")
    with gateway(*options, posthog=posthog.url, directory=directory, grpc=True) as made:
        yield made


def send(receiver: Gateway, body: bytes, path: str = "/v1/logs", media_type: str = PROTOBUF, **headers: str) -> int:
    """Return the status of a request with the token."""
    return receiver.post(path, body, media_type, Authorization=BEARER, **headers)[0]


def memory_mib(receiver: Gateway) -> float:
    """Return what the gateway's process has in memory."""
    lines = Path(f"/proc/{receiver.tree.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def code(
    receiver: Gateway, method: str, body: bytes, token: str | None = TOKEN, timeout_s: float = 30
) -> grpc.StatusCode:
    """Return the code of an export over gRPC, compressed by gzip."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
        export: Any = channel.unary_unary(method)
        ended = export.future(body, metadata=metadata, compression=grpc.Compression.Gzip, timeout=timeout_s)
        return cast("grpc.StatusCode", ended.code())


def unsent(channel: grpc.Channel, until: threading.Event) -> Any:
    """Return a call whose message never comes."""

    def nothing() -> Iterator[bytes]:
        until.wait(30)
        yield from ()

    export: Any = channel.stream_unary(LOGS)
    return export.future(nothing(), timeout=20)


def test_grpc_without_a_token_is_refused_before_anything_is_received(receiver: Gateway) -> None:
    """Of calls whose messages inflate to 15 MiB each, and of one whose message never comes."""
    before_mib = memory_mib(receiver)
    packed = gzip.compress(bytes(15 * 2**20))
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: code(receiver, LOGS, packed, None), range(40)))
    assert set(codes) == {grpc.StatusCode.UNAUTHENTICATED}
    assert memory_mib(receiver) - before_mib < 50
    hold = threading.Event()
    with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
        assert unsent(channel, hold).code() is grpc.StatusCode.UNAUTHENTICATED
        hold.set()


def test_http_without_a_token_is_refused_before_anything_is_received(receiver: Gateway) -> None:
    """Who asks whether to go on is not told to, and who goes on for ever is left alone in time."""
    with socket.create_connection(("127.0.0.1", receiver.http_port), 10) as connection:
        connection.sendall(f"{HEAD}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 401"
    with socket.create_connection(("127.0.0.1", receiver.http_port), 10) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        started, is_open = time.monotonic(), True
        while is_open and time.monotonic() - started < 20:
            try:
                connection.sendall(b"5\r\nhello\r\n")
            except OSError:
                is_open = False
            time.sleep(0.2)
    assert not is_open


@pytest.mark.parametrize("shape", [*otlp_shapes.LOGS, *otlp_shapes.TRACES])
def test_a_few_bytes_of_protobuf_become_no_millions_of_objects(receiver: Gateway, shape: str) -> None:
    """Whatever there are millions of: 413 over HTTP, `RESOURCE_EXHAUSTED` over gRPC, and nothing is made of it."""
    is_logs = shape in otlp_shapes.LOGS
    body = (otlp_shapes.LOGS if is_logs else otlp_shapes.TRACES)[shape](MANY if "long" not in shape else MANY // 2)
    before_mib = memory_mib(receiver)
    packed = zstandard.ZstdCompressor().compress(body)
    assert len(packed) < 20_000
    assert send(receiver, packed, "/v1/logs" if is_logs else "/v1/traces", Content_Encoding="zstd") == 413
    assert code(receiver, LOGS if is_logs else TRACES, body) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert memory_mib(receiver) - before_mib < GROWTH_MIB


@pytest.mark.parametrize("shape", otlp_shapes.JSON)
def test_a_few_bytes_of_json_become_no_millions_of_objects(receiver: Gateway, shape: str) -> None:
    """The same; a text that does not end holds no values, and is no JSON."""
    before_mib = memory_mib(receiver)
    packed = gzip.compress(otlp_shapes.JSON[shape](1_200_000))
    status = send(receiver, packed, media_type=JSON, Content_Encoding="gzip")
    assert status == (400 if shape == "quotes" else 413)
    assert memory_mib(receiver) - before_mib < GROWTH_MIB


@pytest.mark.parametrize("items", ["records", "spans", "span events"])
def test_more_items_than_allowed_are_refused_before_any_work(posthog: FakePostHog, tmp_path: Path, items: str) -> None:
    """50,000 by default, else as many as the option says, in both encodings and over both protocols."""
    shapes = {**otlp_shapes.LOGS, **otlp_shapes.TRACES}
    path, method = ("/v1/logs", LOGS) if items == "records" else ("/v1/traces", TRACES)
    spans = b'{"traceId":"%s","spanId":"%s"}' % (b"1" * 32, b"1" * 16)
    texts = {
        "records": lambda count: b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%s]}]}]}' % b",".join([b"{}"] * count),
        "spans": lambda count: b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % b",".join([spans] * count),
        "span events": lambda count: (
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"events":[%s]}]}]}]}' % b",".join([b"{}"] * count)
        ),
    }
    with gateway("--max-items", "5", posthog=posthog.url, directory=tmp_path, grpc=True) as made:
        assert made.post(path, shapes[items](4))[0] == 200
        status, _, body = made.post(path, shapes[items](6))
        assert status == 413
        assert Status.FromString(body).message == "the request holds more than 5 items; send smaller batches"
        assert made.post(path, texts[items](4), JSON)[0] == 200
        assert made.post(path, texts[items](6), JSON)[0] == 413
        assert code(made, method, shapes[items](6)) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_item_with_too_many_values_is_rejected_and_its_neighbours_are_taken(
    receiver: Gateway, posthog: FakePostHog
) -> None:
    """One item is one step, which nobody else's interrupts: attributes, lists and maps all count."""
    request = logs_request("wide", "nested", "neighbour")
    wide, nested, _ = request.resource_logs[0].scope_logs[0].log_records
    for number in range(10_001):
        wide.attributes.add(key=f"analytics.{number}").value.int_value = number
    within = nested.attributes.add(key="analytics.x").value.kvlist_value.values.add(key="a").value.array_value
    for number in range(10_001):
        within.values.add().int_value = number
    _, _, body = receiver.post("/v1/logs", request.SerializeToString(), Authorization=BEARER)
    assert b"too_many_values 2" in body
    assert posthog.wait_until(lambda: bool(posthog.named("neighbour")), 20)
    assert not posthog.named("wide")
    assert not posthog.named("nested")


@pytest.mark.alone
def test_whoever_sends_much_waits_for_itself(receiver: Gateway, posthog: FakePostHog) -> None:
    """While one connection's requests take seconds, others' are answered between their steps, and so is health."""
    heavy = zstandard.ZstdCompressor().compress(otlp_shapes.product_logs(5_000, texts=6))
    with ThreadPoolExecutor(6) as pool:
        started = time.monotonic()
        heavies = [pool.submit(send, receiver, heavy, Content_Encoding="zstd") for _ in range(6)]
        waits = list[float]()
        while not all(each.done() for each in heavies) and len(waits) < 40:
            at = time.monotonic()
            assert send(receiver, logs_request("small").SerializeToString()) == 200
            assert receiver.get("/healthz")[0] == 200
            waits.append(time.monotonic() - at)
        assert {each.result() for each in heavies} <= {200, 503}
        whole = time.monotonic() - started
    assert whole > 1
    assert len(waits) > 2
    assert sorted(waits)[len(waits) // 2] < whole / 4
    assert posthog.wait_until(lambda: bool(posthog.named("small")), 30)


def test_after_the_deadline_a_request_is_refused_and_what_is_on_disk_stays(tmp_path: Path) -> None:
    """503 with `Retry-After`; when it is retried until it is through, each event of it is there once."""
    # Longer than any text that is remembered, so that each is looked at.
    request = logs_request(*["e"] * 4000, analytics__x="a 1@b 2:c " * 100)
    body = request.SerializeToString()
    with FakePostHog() as posthog, gateway(posthog=posthog.url, directory=tmp_path / "unhurried") as made:
        began = time.monotonic()
        assert made.post("/v1/logs", body)[0] == 200
        third_s = (time.monotonic() - began) / 3
    within = ("--work-timeout", f"{third_s:.3f}")
    with FakePostHog() as posthog, gateway(*within, posthog=posthog.url, directory=tmp_path) as made:
        status, headers, answer = made.post("/v1/logs", body)
        assert (status, headers["Retry-After"]) == (503, "5")
        assert "too much to do" in Status.FromString(answer).message
        assert posthog.wait_until(lambda: 0 < len(posthog.unique_events) < 4000, 60)
        made.tree.end()
        with gateway(posthog=posthog.url, directory=tmp_path) as again:
            assert again.post("/v1/logs", body)[0] == 200
            assert posthog.wait_until(lambda: len(posthog.unique_events) == 4000, 60)
        assert posthog.duplicates > 0


@pytest.mark.parametrize("sent", [b"", b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\n", b"GET /healthz HTTP/1.1\r\n"])
def test_half_open_connections_close_it_for_nobody(open_receiver: Gateway, sent: bytes) -> None:
    """Far more than there may be: each that says nothing more makes room for one that does, and is closed in time."""
    held = [socket.create_connection(("127.0.0.1", open_receiver.http_port), 10) for _ in range(100)]
    try:
        for each in held:
            each.sendall(sent)
        for _ in range(5):
            assert open_receiver.get("/healthz")[0] == 200
            assert open_receiver.post("/v1/logs", logs_request("e").SerializeToString())[0] == 200
        started = time.monotonic()
        for each in held:
            each.settimeout(10)
            assert _is_closed(each)
        assert time.monotonic() - started < 8
    finally:
        for each in held:
            each.close()


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_half_open_connections_of_grpc_are_closed_in_time(open_receiver: Gateway) -> None:
    """As many as there may be, of those that never say that they speak HTTP/2; then a sender is let in again."""
    held = [socket.create_connection(("127.0.0.1", open_receiver.grpc_port), 10) for _ in range(3)]
    try:
        body, deadline = logs_request("e").SerializeToString(), time.monotonic() + 15
        while (found := code(open_receiver, LOGS, body)) is not grpc.StatusCode.OK and time.monotonic() < deadline:
            assert found is grpc.StatusCode.UNAVAILABLE
        assert found is grpc.StatusCode.OK
    finally:
        for each in held:
            each.close()


def test_messages_of_grpc_that_do_not_arrive_are_given_up(open_receiver: Gateway) -> None:
    """Each stands for one of the requests that there may be; after the time for bodies they are over."""
    hold = threading.Event()
    with grpc.insecure_channel(f"127.0.0.1:{open_receiver.grpc_port}") as channel:
        waiting = [unsent(channel, hold) for _ in range(3)]
        assert {each.code() for each in waiting} == {grpc.StatusCode.INVALID_ARGUMENT}
        hold.set()
    assert open_receiver.post("/v1/logs", logs_request("e").SerializeToString())[0] == 200


def test_more_requests_than_allowed_are_told_to_retry_and_health_is_answered(open_receiver: Gateway) -> None:
    """503 with a second to wait over HTTP, `UNAVAILABLE` over gRPC, while three bodies are on their way."""
    held = [socket.create_connection(("127.0.0.1", open_receiver.http_port), 10) for _ in range(3)]
    try:
        for each in held:
            each.sendall(f"{HEAD}Content-Length: 10\r\n\r\nx".encode())
        found = [open_receiver.post("/v1/logs", b"") for _ in range(5)]
        assert (found[-1][0], found[-1][1]["Retry-After"]) == (503, "1")
        assert code(open_receiver, LOGS, b"") is grpc.StatusCode.UNAVAILABLE
        assert open_receiver.get("/healthz")[0] == 200
    finally:
        for each in held:
            each.close()


def test_health_has_a_port_of_its_own_where_asked_for(posthog: FakePostHog, tmp_path: Path) -> None:
    """It answers health while every connection of the other is taken, and takes no telemetry."""
    port = free_port()
    options = ("--max-connections", "1", "--health-port", str(port), "--body-timeout", "20")
    with gateway(*options, posthog=posthog.url, directory=tmp_path) as made:
        held = [socket.create_connection(("127.0.0.1", made.http_port), 10) for _ in range(60)]
        for each in held:
            each.sendall(f"{HEAD}Content-Length: 10\r\n\r\nx".encode())
        health = Gateway(made.tree, port, 0)
        assert health.get("/healthz")[0] == health.get("/readyz")[0] == 200
        assert health.post("/v1/logs", b"")[0] == 404
        assert f"health on http://127.0.0.1:{port}" in made.tree.out
        for each in held:
            each.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *[(host, 200) for host in ("localhost", "LOCALHOST:4318", "127.0.0.1", "127.9.9.9:1", "[::1]", "a.localhost")],
        *[(host, 421) for host in ("evil.example.com", "evil.example.com:4318", "localhost.evil.example.com")],
        *[(host, 421) for host in ("10.0.0.1", "0.0.0.0", "[::2]", "127.0.0.1.evil.example.com", "localhost@evil.com")],
    ],
)  # fmt: skip
def test_a_page_whose_name_resolves_to_this_machine_is_refused(open_receiver: Gateway, host: str, status: int) -> None:
    """DNS rebinding: where anybody on this machine may send, the header `Host` must name it."""
    assert open_receiver.post("/v1/logs", b"", Host=host)[0] == status


def test_where_a_token_is_needed_any_host_will_do(receiver: Gateway) -> None:
    """What terminates TLS in front may pass its own name on, and no page knows a token."""
    assert send(receiver, b"", Host="telemetry.example.com") == 200


def test_a_line_a_minute_says_that_requests_are_malformed(open_receiver: Gateway) -> None:
    """Who need not even show a token does not fill a disk with log lines, over HTTP or gRPC."""
    for port in (open_receiver.http_port, open_receiver.grpc_port):
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.sendall(b"\x00\xff not HTTP\r\n\r\n")
                connection.settimeout(5)
                while not _is_closed(connection):
                    pass
    assert open_receiver.tree.out.count("Invalid HTTP request received") == 1
    assert open_receiver.tree.out.count("\n") < 40


def test_memory_has_one_bound_over_both_protocols(posthog: FakePostHog, tmp_path: Path) -> None:
    """What bodies over HTTP have taken is not there for messages over gRPC, which wait for it, nor for other bodies."""
    options = ("--max-body-bytes", "1000000", "--max-waiting-bytes", "2000000", "--body-timeout", "20")
    with gateway(*options, posthog=posthog.url, directory=tmp_path, grpc=True) as made:
        held = [socket.create_connection(("127.0.0.1", made.http_port), 10) for _ in range(2)]
        try:
            for each in held:
                each.sendall(f"{HEAD}Content-Length: 900000\r\n\r\n".encode() + bytes(800_000))
            # Some may come before the gateway has read what was sent.
            until = time.monotonic() + 10
            while (answer := code(made, LOGS, b"", timeout_s=0.5)) is grpc.StatusCode.OK and time.monotonic() < until:
                pass
            assert answer is grpc.StatusCode.DEADLINE_EXCEEDED
            assert made.post("/v1/logs", bytes(600_000))[0] == 503
            held.pop().close()
            assert code(made, LOGS, b"") is grpc.StatusCode.OK
        finally:
            for each in held:
                each.close()


@pytest.mark.parametrize(
    ("encoding", "part"),
    [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstandard.compress(b""))],
    ids=["gzip", "zstd"],
)
def test_a_body_of_a_hundred_thousand_empty_parts_holds_nobody_up(
    receiver: Gateway, encoding: str, part: bytes
) -> None:
    """It is refused at once, though it inflates to nothing; the next sender does not wait."""
    started = time.monotonic()
    assert send(receiver, part * 100_000, **{"Content-Encoding": encoding}) == 413
    assert time.monotonic() - started < 5
