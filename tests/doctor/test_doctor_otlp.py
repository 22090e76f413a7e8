"""What the doctor finds of the operational side: whether somebody takes OTLP there."""

from __future__ import annotations

import ssl
import threading
import time
import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
import pytest
from authority import Authority
from doctored import asked, complaints, healthy
from grpc_end import files_of, grpc_end
from ill_servers import Dated, Proxy, blocked, closing, endless, silent
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from opentelemetry.sdk.trace.export import SpanExportResult
from ports import free_port

from otel_posthog.testing import FakePostHog, OtlpSink
from otel_posthog.testing.server import Answer

HTTP = "http/protobuf"
NOW, DAY = datetime.now(timezone.utc), timedelta(days=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody believes."""
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An app in which nothing is wrong; what is wrong is on its other side."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs hangs after a step that is short."""
    for name in ("connection", "otlp_ends"):
        monkeypatch.setattr(f"otel_posthog.apps.doctor.{name}.STEP_S", 1.5)


def test_an_end_over_http_that_takes_otlp_is_no_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets an empty request, with the headers that exporters send along."""
    with OtlpSink() as sink:
        found = asked(monkeypatch, sink.url, HTTP, OTEL_EXPORTER_OTLP_HEADERS="authorization=Basic%20abc")
        assert complaints(found) == []
        assert "otlp_taken" in found.ids
        assert [each.path for each in sink.requests] == ["/v1/traces", "/v1/metrics", "/v1/logs"]
        assert sink.requests[0].headers["authorization"] == "Basic abc"
        assert sink.items == 0


def test_an_end_over_grpc_that_takes_otlp_is_no_complaint(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    """Without TLS, and with it where its authority is believed."""
    with grpc_end() as (port, seen):
        found = asked(
            monkeypatch, f"http://127.0.0.1:{port}", "grpc", OTEL_EXPORTER_OTLP_HEADERS="authorization=Basic%20abc"
        )
        assert complaints(found) == []
        assert seen[0]["authorization"] == "Basic abc"
    tls = files_of(authority.server("IP:127.0.0.1"), authority.certificate.parent)
    with grpc_end(tls=tls) as (port, _):
        url, certificate = f"https://127.0.0.1:{port}", str(authority.certificate)
        assert complaints(asked(monkeypatch, url, "grpc", OTEL_EXPORTER_OTLP_CERTIFICATE=certificate)) == []


def test_a_proxy_that_leads_to_an_end_is_gone_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP: the name of the end need not resolve here."""
    with OtlpSink() as sink, Proxy({"otlp.invalid": sink.url}) as proxy:
        found = asked(monkeypatch, "http://otlp.invalid", HTTP, HTTP_PROXY=proxy.url)
    assert complaints(found) == []
    assert "otlp_taken" in found.ids


NOWHERE = "http://127.0.0.1:9"
PROXIES = {
    "grpc": {
        "HTTPS_PROXY": True, "HTTP_PROXY": True, "ALL_PROXY": True, "GRPC_PROXY": True, "all_proxy": True,
        "grpc_proxy": False, "https_proxy": False, "http_proxy": False,
    },
    HTTP: {"HTTP_PROXY": False, "http_proxy": False, "ALL_PROXY": False, "HTTPS_PROXY": True, "grpc_proxy": True},
}  # fmt: skip


@pytest.mark.parametrize(
    ("over", "variable"), [(each, variable) for each, variables in PROXIES.items() for variable in variables]
)
def test_a_proxy_counts_where_the_exporter_goes_by_it(
    over: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GRPC reads its own names, in lowercase alone; a proxy that is not there is told of, not the end behind it."""
    with OtlpSink() as sink, grpc_end() as (port, _):
        url = sink.url if over == HTTP else f"http://127.0.0.1:{port}"
        found = asked(monkeypatch, url, over, **{variable: NOWHERE})
        arrives = PROXIES[over][variable]
        exporter = (OverHttp if over == HTTP else OverGrpc)(timeout=3)
        assert (exporter.export([]) is SpanExportResult.SUCCESS) is arrives
        exporter.shutdown()
        assert complaints(found) == ([] if arrives else ["otlp_proxy_unreachable"])
        if not arrives:
            past = "NO_PROXY" if over == HTTP else "no_proxy"
            assert found["otlp_proxy_unreachable"]["fix"].endswith(f"or add 127.0.0.1 to {past}")
            assert complaints(asked(monkeypatch, url, over, no_proxy="127.0.0.1")) == []


@pytest.mark.parametrize(("over", "variable"), [("grpc", "https_proxy"), (HTTP, "HTTPS_PROXY")])
def test_a_proxy_that_makes_no_way_to_an_end_is_told(over: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, and has none; the end is not said to speak something else."""
    with Proxy({}) as proxy:
        found = asked(monkeypatch, "https://otlp.invalid", over, **{variable: proxy.url})
    assert complaints(found) == ["otlp_proxy_no_way"]


def test_an_end_that_takes_traces_only_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tempo has nothing for metrics and logs: that of each signal is asked, and told of those that are not taken."""

    class Tempo(OtlpSink):
        def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
            return super().answer(path, headers, body) if path == "/v1/traces" else Answer(404)

    with Tempo() as tempo:
        found = asked(monkeypatch, tempo.url, HTTP)
    assert complaints(found) == ["otlp_no_path"]
    assert found["otlp_no_path"]["about"] == "OTLP metrics and logs"
    assert "OTEL_METRICS_EXPORTER=none" in found["otlp_no_path"]["fix"]
    assert found["otlp_taken"]["about"] == "OTLP traces"
    with grpc_end(only="trace") as (port, _):
        found = asked(monkeypatch, f"http://127.0.0.1:{port}", "grpc")
    assert complaints(found) == ["otlp_no_path"]
    assert found["otlp_no_path"]["about"] == "OTLP metrics and logs"


def test_each_signal_is_asked_at_its_own_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces here, logs there, metrics nowhere; what is wrong with one is told of that one."""
    with OtlpSink() as tempo:
        loki = f"http://127.0.0.1:{free_port()}/v1/logs"
        found = asked(monkeypatch, tempo.url, HTTP, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=loki, OTEL_METRICS_EXPORTER="none")
        assert [each.path for each in tempo.requests] == ["/v1/traces"]
    assert complaints(found) == ["otlp_refused"]
    assert found["otlp_refused"]["about"] == "OTLP logs"
    assert "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" in found["otlp_refused"]["fix"]


STATUSES = {
    401: "otlp_not_allowed", 403: "otlp_not_allowed", 404: "otlp_no_path", 405: "otlp_no_path", 302: "otlp_redirected",
    429: "otlp_fails", 500: "otlp_fails", 503: "otlp_fails", 400: None, 407: "otlp_proxy_password",
    408: "otlp_fails", 402: "otlp_refuses", 410: "otlp_refuses", 415: "otlp_refuses", 418: "otlp_refuses",
}  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_is_told(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do; that somebody has no use for an empty request is none."""
    with OtlpSink() as sink:
        sink.status = status
        found = asked(monkeypatch, sink.url, HTTP)
    kind = STATUSES[status]
    assert complaints(found) == ([kind] if kind else [])
    assert not kind or f"http {status}" in found[kind]["says"]


CODES = {
    grpc.StatusCode.UNAUTHENTICATED: "otlp_not_allowed",
    grpc.StatusCode.PERMISSION_DENIED: "otlp_not_allowed",
    grpc.StatusCode.UNIMPLEMENTED: "otlp_no_path",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "otlp_fails",
    grpc.StatusCode.INTERNAL: "otlp_fails",
}


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_each_code_of_grpc_is_told(code: grpc.StatusCode, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its like over HTTP."""
    with grpc_end(code) as (port, _):
        found = asked(monkeypatch, f"http://127.0.0.1:{port}", "grpc")
    assert complaints(found) == [CODES[code]]


def test_a_page_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it answers 200."""
    with Dated(lambda _: Answer(200, b"<html>", "text/html"), 0.0) as page:
        assert complaints(asked(monkeypatch, page.url, HTTP)) == ["otlp_not_otlp"]


def test_an_end_tells_of_the_clock_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PostHog is not asked."""
    with Dated(lambda _: Answer(200, b"", "application/x-protobuf"), 7200.0) as end:
        assert complaints(asked(monkeypatch, end.url, HTTP)) == ["clock_skewed"]


def test_the_other_protocol_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """GRPC to an end over HTTP, and the other way."""
    with OtlpSink() as sink:
        found = asked(monkeypatch, sink.url, "grpc")
    assert complaints(found) == ["otlp_other_protocol"]
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in found["otlp_other_protocol"]["fix"]
    with grpc_end() as (port, _):
        found = asked(monkeypatch, f"http://127.0.0.1:{port}", HTTP)
    assert complaints(found) == ["otlp_other_protocol"]
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in found["otlp_other_protocol"]["fix"]


@pytest.fixture(params=["grpc", HTTP])
def protocol(request: pytest.FixtureRequest) -> str:
    """Each protocol."""
    return str(request.param)


def test_an_end_that_does_not_answer_is_told(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, blocked, silent, closed, without a name or a way there: as of PostHog."""
    refused = f"http://127.0.0.1:{free_port()}"
    assert complaints(asked(monkeypatch, refused, protocol)) == ["otlp_refused"]
    assert complaints(asked(monkeypatch, "http://255.255.255.255:9", protocol)) == ["otlp_no_route"]
    named = complaints(asked(monkeypatch, "http://no-such-host.invalid:9", protocol))
    assert named in (["otlp_no_name"], ["otlp_name_silent"])
    with blocked() as port:
        assert complaints(asked(monkeypatch, f"http://127.0.0.1:{port}", protocol)) == ["otlp_blocked"]
    with silent() as port:
        assert complaints(asked(monkeypatch, f"http://127.0.0.1:{port}", protocol)) == ["otlp_silent"]
    with closing() as port:
        assert complaints(asked(monkeypatch, f"https://127.0.0.1:{port}", protocol)) == ["otlp_closed"]


OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "a header line at a time": (OK, b"X-A: b\r\n", 0.3),
    "a byte of a header at a time": (OK + b"X-A: ", b"b", 0.3),
    "a byte of the body at a time": (OK + b"Content-Length: 9999\r\n\r\n", b"b", 0.3),
    "a byte of a body without a length": (OK + b"\r\n", b"b", 0.3),
    "a chunk at a time": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nb\r\n", 0.3),
    "a body without an end": (OK + b"\r\n", b"b" * 65536, 0.0),
    "chunks without an end": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + b"b" * 65535 + b"\r\n", 0.0),
    "to be continued, at once": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0),
    "to be continued, in a while": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.3),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDLESS)
def test_an_answer_without_an_end_is_none(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it comes, it is told of when its time is over; nobody reads on, and little of it is kept."""
    with endless(*ENDLESS[case]) as port:
        started = time.monotonic()
        tracemalloc.start()
        found = asked(monkeypatch, f"http://127.0.0.1:{port}", HTTP)
        (_, peak), took_s = tracemalloc.get_traced_memory(), time.monotonic() - started
        tracemalloc.stop()
        assert complaints(found) == ["otlp_silent"]
        assert took_s < 12
        assert peak < 64 * 1024 * 1024
        while "within" in _threads() and time.monotonic() - started < 20:
            time.sleep(0.05)
        assert "within" not in _threads()


def _threads() -> set[str]:
    return {each.name for each in threading.enumerate()}


def test_a_proxy_that_wants_a_password_for_its_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers CONNECT with 407, which is no matter of the exporter's headers."""
    with endless(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b"", 0.3) as port:
        found = asked(monkeypatch, "https://otlp.invalid", HTTP, HTTPS_PROXY=f"http://127.0.0.1:{port}")
    assert complaints(found) == ["otlp_proxy_password"]
    assert "HTTPS_PROXY" in found["otlp_proxy_password"]["fix"]


def test_an_end_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It speaks gRPC, and does not answer."""
    over = threading.Event()
    with grpc_end(wait=lambda: over.wait(10)) as (port, _):
        found = asked(monkeypatch, f"http://127.0.0.1:{port}", "grpc")
        over.set()
    assert complaints(found) == ["otlp_silent"]


CERTIFICATES = {
    "otlp_unknown_ca": (-DAY, DAY, "IP:127.0.0.1", False),
    "otlp_certificate_expired": (-2 * DAY, -DAY, "IP:127.0.0.1", True),
    "otlp_certificate_not_yet": (DAY, 2 * DAY, "IP:127.0.0.1", True),
    "otlp_certificate_other_host": (-DAY, DAY, "DNS:elsewhere.example", True),
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_each_fault_of_a_certificate_is_told(
    kind: str, protocol: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variable that exporters read for the authority."""
    begin, end, name, is_believed = CERTIFICATES[kind]
    context = authority.server_at_times(name, NOW + begin, NOW + end)
    believed = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.certificate)} if is_believed else {}
    with grpc_end(tls=files_of(context, authority.certificate.parent)) as (port, _):
        found = asked(monkeypatch, f"https://127.0.0.1:{port}", protocol, **believed)
    assert complaints(found) == [kind]
    if not is_believed:
        assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in found[kind]["fix"]


def test_the_wrong_scheme_and_certificates_that_are_not_there_are_told(
    protocol: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """TLS to an end without it, a path that leads nowhere; HTTP to one with TLS."""
    with OtlpSink() as sink:
        assert complaints(asked(monkeypatch, sink.url.replace("http", "https"), protocol)) == ["otlp_no_tls"]
        nowhere = str(tmp_path / "nowhere.pem")
        found = asked(monkeypatch, sink.url.replace("http", "https"), protocol, OTEL_EXPORTER_OTLP_CERTIFICATE=nowhere)
        assert complaints(found) == ["otlp_ca_unreadable"]
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_CERTIFICATE")
    tls = files_of(authority.server("IP:127.0.0.1"), authority.certificate.parent)
    with grpc_end(tls=tls) as (port, _):
        told = complaints(asked(monkeypatch, f"http://127.0.0.1:{port}", protocol))
    assert told == ["otlp_tls_wanted"]


def test_tls_that_two_do_not_agree_on_is_told(
    protocol: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that wants a certificate of its clients."""
    tls = authority.server("IP:127.0.0.1")
    tls.verify_mode, tls.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2
    certificate = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.certificate)}
    with FakePostHog(tls=tls) as end:
        assert complaints(asked(monkeypatch, end.url, protocol, **certificate)) == ["otlp_tls"]
