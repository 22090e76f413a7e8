"""OTLP/HTTP at a real gateway: what is taken, what is refused, and how that is said."""

from __future__ import annotations

import gzip
import json
import math
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from backends import until
from gateway import JSON, PROTOBUF, TIME_NS, Gateway, as_json, gateway, logs_request, spans_request
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from otel_posthog.testing import FakePostHog

TOKEN = "t0" * 10
PAGE = "https://app.example.com"
BEARER = f"Bearer {TOKEN}"
POLICY = "delivery: {flush_interval_s: 0.05}\n"


@pytest.fixture(scope="module")
def receiver(posthog: FakePostHog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a token, a page, and limits small enough to be met."""
    directory = tmp_path_factory.mktemp("gateway")
    (directory / "policy.yaml").write_text(POLICY)
    limits = ("--max-body-bytes", "100000", "--max-inflated-bytes", "200000", "--body-timeout", "1")
    options = ("--cors-origin", PAGE, "--policy", str(directory / "policy.yaml"), *limits)
    with gateway(*options, posthog=posthog.url, directory=directory, OTEL_POSTHOG_GATEWAY_TOKENS=TOKEN) as made:
        yield made


def send(
    receiver: Gateway, path: str, body: bytes, media_type: str = PROTOBUF, **headers: str
) -> tuple[int, Any, bytes]:
    """Return what a request with the token is answered."""
    return receiver.post(path, body, media_type, Authorization=BEARER, **headers)


def test_logs_and_spans_in_protobuf_become_events(receiver: Gateway, posthog: FakePostHog) -> None:
    """Product items arrive at PostHog, operational ones are acknowledged, and the answers are empty messages."""
    status, headers, body = send(receiver, "/v1/logs", logs_request("log_proto").SerializeToString())
    assert (status, headers["Content-Type"], body) == (200, PROTOBUF, b"")
    assert send(receiver, "/v1/traces", spans_request("span_proto").SerializeToString())[0] == 200
    posthog.wait_until(lambda: bool(posthog.named("log_proto") and posthog.named("span_proto")), 20)
    assert len(posthog.named("log_proto")) == len(posthog.named("span_proto")) == 1


def test_the_same_in_json_has_the_same_uuids(receiver: Gateway, posthog: FakePostHog) -> None:
    """Whichever encoding a sender writes, an event is the same."""
    request = logs_request("both_ways")
    assert send(receiver, "/v1/logs", request.SerializeToString())[0] == 200
    status, headers, body = send(receiver, "/v1/logs", json.dumps(as_json(request)).encode(), JSON + "; charset=utf-8")
    assert (status, headers["Content-Type"], body) == (200, JSON, b"{}")
    posthog.wait_until(lambda: len(posthog.named("both_ways")) == 2, 20)
    assert len({each.uuid for each in posthog.named("both_ways")}) == 1


@pytest.mark.parametrize("media_type", [PROTOBUF, JSON])
def test_log_records_of_one_name_and_one_time_are_events_of_their_own(
    receiver: Gateway, posthog: FakePostHog, media_type: str
) -> None:
    """Twenty of one tick, of five users whom nobody is told about, some exact repeats; sent again they are the same."""
    name = f"tick_{media_type[-4:]}"
    request = logs_request(*[name] * 20)
    for number, record in enumerate(request.resource_logs[0].scope_logs[0].log_records):
        record.time_unix_nano = record.observed_time_unix_nano = TIME_NS
        record.attributes.add(key="user.id").value.string_value = f"u-{number % 5}"
        record.attributes.add(key="analytics.n").value.int_value = number % 3
    body = json.dumps(as_json(request)).encode() if media_type == JSON else request.SerializeToString()
    for _ in range(2):
        assert send(receiver, "/v1/logs", body, media_type)[0] == 200
    assert posthog.wait_until(lambda: len(posthog.named(name)) == 40, 20)
    assert len({each.uuid for each in posthog.named(name)}) == 20
    assert len({each.distinct_id for each in posthog.named(name)}) == 1


def test_personal_data_is_filtered(receiver: Gateway, posthog: FakePostHog) -> None:
    """What another language sends goes through the same filters."""
    request = logs_request("mailed", analytics__note="write to jo@example.org")
    assert send(receiver, "/v1/logs", request.SerializeToString())[0] == 200
    posthog.wait_until(lambda: bool(posthog.named("mailed")), 20)
    assert posthog.named("mailed")[0].properties["note"] == "write to [email]"
    assert b"jo@example" not in posthog.raw_bytes


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
def test_compressed_bodies_are_inflated(receiver: Gateway, posthog: FakePostHog, encoding: str, pack: Any) -> None:
    """Each of the encodings that senders use."""
    body = pack(logs_request(f"packed_{encoding}").SerializeToString())
    assert send(receiver, "/v1/logs", body, Content_Encoding=encoding)[0] == 200
    assert posthog.wait_until(lambda: bool(posthog.named(f"packed_{encoding}")), 20)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_all_members_of_a_compressed_body_are_taken(receiver: Gateway, posthog: FakePostHog, encoding: str) -> None:
    """What was put together of several is read to its end; frames that are to be skipped are."""
    pack = gzip.compress if encoding == "gzip" else zstandard.ZstdCompressor().compress
    bodies = [pack(logs_request(f"member_{encoding}", first=number).SerializeToString()) for number in range(3)]
    if encoding == "zstd":
        bodies.insert(1, bytes.fromhex("502a4d1803000000") + b"abc")
    assert send(receiver, "/v1/logs", b"".join(bodies), Content_Encoding=encoding)[0] == 200
    assert posthog.wait_until(lambda: len(posthog.named(f"member_{encoding}")) == 3, 20)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor(write_checksum=True).compress),
    ],
)
def test_a_compressed_body_that_is_cut_or_goes_on_is_refused(receiver: Gateway, encoding: str, pack: Any) -> None:
    """At whatever byte it ends, and whatever follows: half of a request is not taken for all of it."""
    packed = pack(logs_request(*["cut"] * 20, analytics__x="x" * 300).SerializeToString())
    damaged = [packed[:size] for size in (0, 1, 5, 9, 13, len(packed) // 2, len(packed) - 5, len(packed) - 1)]
    damaged += [packed + b"\0", packed + b"more", packed + packed[: len(packed) // 2], packed + bytes(100)]
    for body in damaged:
        assert send(receiver, "/v1/logs", body, Content_Encoding=encoding)[0] == 400, (encoding, len(body))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress, zlib.compress])
def test_a_body_that_inflates_too_far_is_refused(receiver: Gateway, pack: Any) -> None:
    """A bomb costs no more than the bound, and the answer says what to do."""
    encoding = {gzip.compress: "gzip", zlib.compress: "deflate"}.get(pack, "zstd")
    status, _, body = send(receiver, "/v1/logs", pack(bytes(50_000_000)), Content_Encoding=encoding)
    assert status == 413
    assert Status.FromString(body).message == "the inflated body is larger than 200000 bytes; send smaller batches"


def test_a_body_that_is_too_long_is_refused(receiver: Gateway) -> None:
    """By its declared length, and by what comes where none is declared."""
    assert send(receiver, "/v1/logs", bytes(100_001))[0] == 413
    status, _, _ = send(receiver, "/v1/logs", iter([bytes(60_000)] * 2))  # type: ignore[arg-type]  # sent in chunks
    assert status == 413


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "message"),
    [
        ("/v1/logs", b"\xff", {}, 400, "the document must be an ExportLogsServiceRequest in protobuf"),
        ("/v1/traces", b"\xff", {}, 400, "the document must be an ExportTraceServiceRequest in protobuf"),
        ("/v1/logs", b"x", {"Content_Encoding": "gzip"}, 400, "the body is not gzip, though Content-Encoding says so"),
        ("/v1/logs", b"x", {"Content_Encoding": "zstd"}, 400, "the body is not zstd, though Content-Encoding says so"),
        ("/v1/logs", b"x", {"Content_Encoding": "br"}, 415, "Content-Encoding must be gzip, zstd, deflate or identity"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(  # noqa: PLR0917 - a row of the table
    receiver: Gateway, path: str, body: bytes, headers: dict[str, str], status: int, message: str
) -> None:
    """With a status after which no sender retries, and a message that holds nothing of the body."""
    got, _, answer = send(receiver, path, body, **headers)
    assert (got, Status.FromString(answer).message) == (status, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the document must be JSON in UTF-8"),
        (b'{"resourceLogs":"secret"}', "resourceLogs must be a list"),
        (b"[" * 50_000, "the document is nested too deeply"),
        (b'{"resourceLogs":[{"resource":3}]}', "resourceLogs[0].resource must be an object"),
    ],
)
def test_json_that_cannot_be_read_is_refused_in_json(receiver: Gateway, body: bytes, message: str) -> None:
    """The answer comes in the encoding of the request and names the field."""
    status, headers, answer = send(receiver, "/v1/logs", body, JSON)
    assert (status, headers["Content-Type"], json.loads(answer)) == (400, JSON, {"message": message})


def test_an_unknown_media_type_is_refused(receiver: Gateway) -> None:
    """And says which are known."""
    status, _, body = send(receiver, "/v1/logs", b"", "text/plain")
    assert (status, Status.FromString(body).message) == (
        415,
        "Content-Type must be application/x-protobuf or application/json",
    )


def test_unknown_paths_and_methods_are_refused(receiver: Gateway) -> None:
    """As HTTP has it."""
    assert send(receiver, "/v1/profiles", b"")[0] == 404
    assert receiver.get("/v1/logs")[0] == 405


def test_a_malformed_item_is_rejected_and_its_neighbours_are_taken(receiver: Gateway, posthog: FakePostHog) -> None:
    """Partial success tells how many, and which field of the first, in both encodings; never a value."""
    request = logs_request("good_neighbour", "bad_trace")
    request.resource_logs[0].scope_logs[0].log_records[1].trace_id = b"short"
    problem = "malformed 1; first malformed: log_records[1].trace_id must be 16 bytes"
    status, _, body = send(receiver, "/v1/logs", request.SerializeToString())
    partial = ExportLogsServiceResponse.FromString(body).partial_success
    assert (status, partial.rejected_log_records, partial.error_message) == (200, 1, problem)
    document = as_json(spans_request("good_span", "bad_span"))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][2]["traceId"] = "secret"
    status, _, body = send(receiver, "/v1/traces", json.dumps(document).encode(), JSON)
    partial = json.loads(body)["partialSuccess"]
    assert (status, partial["rejectedSpans"]) == (200, "1")
    assert "spans[2].traceId must be 32 hexadecimal digits" in partial["errorMessage"]
    assert "secret" not in partial["errorMessage"]
    assert posthog.wait_until(lambda: bool(posthog.named("good_neighbour") and posthog.named("good_span")), 20)


def test_an_event_that_cannot_be_one_is_rejected(receiver: Gateway) -> None:
    """A name that PostHog would not take is told to the sender, by its reason."""
    status, _, body = send(receiver, "/v1/traces", spans_request("n" * 201).SerializeToString())
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    assert (status, partial.rejected_spans, partial.error_message) == (200, 1, "name_invalid 1")


def test_what_is_not_wanted_is_no_failure(receiver: Gateway) -> None:
    """An event without consent is not kept, and the sender has made no mistake."""
    request = logs_request("unwanted")
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.attributes.add(key="analytics.consent").value.bool_value = False
    assert send(receiver, "/v1/logs", request.SerializeToString())[::2] == (200, b"")


def test_metrics_are_acknowledged(receiver: Gateway) -> None:
    """An SDK that sends all three signals to one endpoint gets no errors."""
    assert send(receiver, "/v1/metrics", b"")[0] == 200


@pytest.mark.parametrize("shown", [None, "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_is_taken(receiver: Gateway, shown: str | None) -> None:
    """The answer says what is missing; health needs no token."""
    headers = {} if shown is None else {"Authorization": shown}
    status, answered, body = receiver.post("/v1/logs", b"", **headers)
    assert (status, answered["WWW-Authenticate"]) == (401, "Bearer")
    assert "Authorization" in Status.FromString(body).message
    assert receiver.get("/healthz")[0] == receiver.get("/readyz")[0] == 200


def test_a_page_on_the_list_may_send(receiver: Gateway) -> None:
    """Its preflight is answered without a token, and what it sends has the header that lets it read the answer."""
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    status, headers, _ = receiver.request("OPTIONS", "/v1/logs", None, asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert "authorization" in headers["Access-Control-Allow-Headers"]
    _, headers, _ = send(receiver, "/v1/logs", b"", Origin=PAGE)
    assert headers["Access-Control-Allow-Origin"] == PAGE


def test_another_page_may_not(receiver: Gateway) -> None:
    """A preflight from elsewhere is refused, and an answer says nothing that lets it be read."""
    asked = {"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"}
    status, headers, _ = receiver.request("OPTIONS", "/v1/logs", None, asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (400, None)


def test_a_slow_body_is_given_up(receiver: Gateway) -> None:
    """Who sends one byte and then none for a second is told so."""
    with socket.create_connection(("127.0.0.1", receiver.http_port), 10) as connection:
        connection.sendall(
            f"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PROTOBUF}\r\nAuthorization: {BEARER}\r\n"
            "Content-Length: 10\r\n\r\nx".encode()
        )
        connection.settimeout(10)
        assert connection.recv(12) == b"HTTP/1.1 408"


def test_the_start_line_says_who_may_come_and_where_events_go(receiver: Gateway, posthog: FakePostHog) -> None:
    """Address, tokens, pages, spool and host."""
    out = receiver.tree.out
    assert f"OTLP/HTTP on {receiver.url}; for with one of 1 token" not in out
    assert f"OTLP/HTTP on {receiver.url}; for whoever shows one of 1 token, pages from {PAGE}" in out
    assert posthog.url in out
    assert TOKEN not in out


def test_a_full_spool_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """503 with `Retry-After`, and not ready; once there is room again the same request is taken."""
    (tmp_path / "policy.yaml").write_text("delivery: {max_spool_bytes: 1048576, flush_interval_s: 0.05}\n")
    options = ("--policy", str(tmp_path / "policy.yaml"))
    with FakePostHog() as posthog, gateway(*options, posthog=posthog.url, directory=tmp_path) as made:
        posthog.pause()
        kept, body = 0, b""
        for number in range(100):
            body = logs_request(*["e"] * 50, first=number * 50, analytics__x="x" * 400).SerializeToString()
            status, headers, _ = made.post("/v1/logs", body)
            if status != 200:
                break
            kept += 50
        assert (status, headers["Retry-After"]) == (503, "5")
        assert made.get("/readyz")[0] == 503
        assert made.get("/healthz")[0] == 200
        made.tree.end()
        posthog.resume()
        with gateway(*options, posthog=posthog.url, directory=tmp_path) as again:
            assert posthog.wait_until(lambda: len(posthog.unique_events) >= kept, 30)
            assert again.post("/v1/logs", body)[0] == 200
            assert posthog.wait_until(lambda: len(posthog.unique_events) == kept + 50, 30)


def test_a_request_with_more_than_the_spool_holds_goes_on_where_it_ended(tmp_path: Path) -> None:
    """Sent until it is through, as a Collector does, each of its events arrives; few come twice, with the same uuid."""
    (tmp_path / "policy.yaml").write_text("delivery: {max_spool_bytes: 1048576, flush_interval_s: 0.05}\n")
    body, count = logs_request(*["e"] * 4000, analytics__x="x" * 400).SerializeToString(), 4000
    options = ("--policy", str(tmp_path / "policy.yaml"))
    with FakePostHog() as posthog, gateway(*options, posthog=posthog.url, directory=tmp_path) as made:
        posthog.pause()
        assert made.post("/v1/logs", body)[0] == 503
        posthog.resume()
        until(lambda: made.post("/v1/logs", body)[0] == 200)
        assert posthog.wait_until(lambda: len(posthog.unique_events) == count, 30)
        # What a step has got on disk before it found no more room.
        assert posthog.duplicates < count / 2


def test_bodies_that_are_being_received_have_a_bound_together(posthog: FakePostHog, tmp_path: Path) -> None:
    """503 with a second to wait, while two other requests' bodies take up what there is, half of it each."""
    with gateway("--max-waiting-bytes", "1800", posthog=posthog.url, directory=tmp_path) as made:
        slow = [socket.create_connection(("127.0.0.1", made.http_port), 10) for _ in range(2)]
        for each in slow:
            head = (
                "POST /v1/logs HTTP/1.1",
                "Host: localhost",
                f"Content-Type: {PROTOBUF}",
                "Content-Length: 2000",
                "",
                "",
            )
            each.sendall("\r\n".join(head).encode() + bytes(900))
        refused = [made.post("/v1/logs", bytes(500)) for _ in range(20)]
        for each in slow:
            each.close()
        status, headers, _ = refused[-1]
        assert (status, headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("media_type", [PROTOBUF, JSON])
def test_values_that_json_and_protobuf_do_not_have_cost_no_event(
    receiver: Gateway, posthog: FakePostHog, media_type: str
) -> None:
    """What is no number or no text goes by itself, also out of lists and maps; a text is mended."""
    name = f"odd_{media_type[-4:]}"
    request = logs_request(name, trace__state="x")
    attributes = request.resource_logs[0].scope_logs[0].log_records[0].attributes
    for key, value in (("nan", math.nan), ("inf", math.inf)):
        attributes.add(key=f"analytics.{key}").value.double_value = value
        attributes.add(key=f"analytics.{key}_in").value.array_value.values.add().double_value = value
        attributes[-1].value.array_value.values.add().int_value = 1
    attributes.add(key="analytics.raw").value.bytes_value = b"\xff\xfe"
    attributes.add(key="analytics.read").value.bytes_value = "é".encode()
    attributes.add(key="analytics.text").value.string_value = "caf\u00e9 x"
    document = json.dumps(as_json(request), ensure_ascii=False).encode()
    body = request.SerializeToString() if media_type == PROTOBUF else document
    body = body.replace("caf\u00e9".encode(), b"caf\xe9\xff")
    assert send(receiver, "/v1/logs", body, media_type)[0] == 200
    posthog.wait_until(lambda: bool(posthog.named(name)), 20)
    (event,) = posthog.named(name)
    assert {key: event.properties.get(key) for key in ("nan", "nan_in", "inf", "inf_in", "raw", "read", "text")} == {
        "nan": None, "nan_in": [1], "inf": None, "inf_in": [1], "raw": None, "read": "é", "text": "caf?? x",
    }  # fmt: skip
