"""What the doctor finds of the operational side: how its ends are written, and whether somebody takes OTLP there."""

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
from doctored import Found, doctor, healthy
from grpc_end import files_of, grpc_end
from ill_servers import Dated, Proxy, blocked, closing, endless, silent
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from opentelemetry.sdk._configuration import _get_exporter_names, _import_exporters
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.util.re import parse_env_headers
from ports import free_port

from otel_posthog.testing import FakePostHog, OtlpSink
from otel_posthog.testing.server import Answer

HTTP = "http/protobuf"
ROOT = Path(__file__).parents[2]
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


def asked(monkeypatch: pytest.MonkeyPatch, url: str, protocol: str, **environ: str) -> Found:
    """Ask an end, and return what was found; nothing goes to PostHog."""
    healthy(
        monkeypatch,
        **{"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, **environ},
        USAGE_STATS="false",
    )
    return doctor("--send", "--timeout", "20")


def complaints(found: Found) -> list[str]:
    """Return what is complained of, but for the switch."""
    return [each for each in found.complaints if each != "off_by_usage_stats"]


WRITTEN = {
    "otlp_not_named": {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    "otlp_protocol_unknown": {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
    "otlp_no_url": {"OTEL_EXPORTER_OTLP_ENDPOINT": '"http://collector:4317"'},
    "otlp_no_scheme": {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP},
    "otlp_grpc_no_scheme": {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"},
    "otlp_path_twice": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/v1/traces", "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP
    },
    "otlp_to_posthog": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://eu.i.posthog.com/i/v1/", "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP
    },
    "otlp_padded": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318\r", "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP
    },
    "otlp_headers": {"OTEL_EXPORTER_OTLP_HEADERS": "Authorization: Basic abc"},
    "otlp_port_of_other_protocol": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"},
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITTEN)
def test_how_an_end_is_written_is_looked_at(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else is complained of."""
    healthy(monkeypatch, **WRITTEN[kind])
    found = doctor()
    assert found.complaints == [kind]
    assert found[kind]["fix"]


NO_URLS = [
    "http//127.0.0.1:4317", "https//collector:4317", "http:/collector:4317", "http:collector:4317",
    "http://http://collector:4317", "http://collector,example:4317", "http://my collector:4317", "http://",
    "http://collector..example:4317", "http://${COLLECTOR}:4317", "://collector:4317",
    "http://<collector>", "collector:x",
]  # fmt: skip


@pytest.mark.parametrize("protocol", ["grpc", HTTP])
@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_url_is_not_mended_by_half(url: str, protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No scheme is to be written before another, and no server has such a name."""
    healthy(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    assert doctor().complaints == ["otlp_no_url"]


GOOD: list[dict[str, str]] = [
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.org", "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.org/otlp/", "OTEL_EXPORTER_OTLP_PROTOCOL": HTTP},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://tempo:4318/v1/traces",
     "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": HTTP, "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
    {f"OTEL_{each}_EXPORTER": "none" for each in ("TRACES", "METRICS", "LOGS")},
    {**{f"OTEL_{each}_EXPORTER": "console" for each in ("TRACES", "METRICS", "LOGS")},
     "OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "unix:///run/otel.sock"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "dns:///collector:4317"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_INSECURE": "true"},
    {"OTEL_CONFIG_FILE": str(ROOT / "examples" / "otel-config.yaml"), "OTEL_EXPORTER_OTLP_ENDPOINT": ""},
]  # fmt: skip


@pytest.mark.parametrize("signal", ["", "TRACES_"])
@pytest.mark.parametrize("around", ["\r", "\n", "\t", " "], ids=repr)
def test_what_stands_around_an_endpoint_is_a_part_of_it_over_http(
    around: str, signal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter of the SDK agrees: nothing comes that way, over HTTP; over gRPC it does."""
    with OtlpSink() as sink, grpc_end() as (port, seen):
        named, path = f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT", "/v1/traces" if signal else ""
        found = asked(monkeypatch, sink.url, HTTP, **{named: f"{sink.url}{path}{around}"})
        assert complaints(found) == ["otlp_padded"]
        assert "OTLP traces" not in [each["about"] for each in found.findings], "it was asked without"
        monkeypatch.setenv("USAGE_STATS", "true")
        assert found["otlp_padded"]["says"].startswith(f"{named} has a space or a line end")
        assert OverHttp(timeout=2).export([]) is not SpanExportResult.SUCCESS
        healthy(monkeypatch, **{named: f"http://127.0.0.1:{port}{around}", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
        assert doctor().complaints == []
        exporter = OverGrpc(timeout=20)
        assert exporter.export([]) is SpanExportResult.SUCCESS
        exporter.shutdown()
    assert (sink.items, len(seen)) == (0, 1)


VALUES = {
    "TIMEOUT": ["10", "0.5", " 10 ", "10s", "", "10,5", "abc", "-1"],
    "COMPRESSION": ["gzip", " GZIP ", "none", "", "zstd", "deflate", "gzip,none"],
}


@pytest.mark.parametrize("signal", ["", "TRACES_"])
@pytest.mark.parametrize(("word", "value"), [(word, value) for word, values in VALUES.items() for value in values])
def test_a_value_that_stops_the_exporter_over_grpc_is_found(
    word: str, value: str, signal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenTelemetry does not start with it; the exporter agrees, and over HTTP it goes on with its default."""
    name = f"OTEL_EXPORTER_OTLP_{signal}{word}"
    healthy(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT="http://collector", **{name: value})
    try:
        OverGrpc().shutdown()
        expected = []
    except Exception:
        expected = ["otlp_grpc_value"]
    found = doctor()
    assert found.complaints == expected
    assert not expected or found["otlp_grpc_value"]["says"].startswith(f"{name} is nothing that")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", HTTP)
    OverHttp()
    assert doctor().complaints == []


HEADERS = {
    "authorization=Basic%20abc": True, "a=b,c=d": True, " a = b , c = d ": True, "a=": True, "a=b,": True,
    "x-scope-orgid=1,authorization=Bearer a=b=": True, "Authorization: Basic abc": False, "a=b,Basic abc": False,
    "Authorization: Basic YWJj=": False, "=b": False, "Bearer": False, "a b=c": False,
}  # fmt: skip


@pytest.mark.parametrize("signal", ["", "TRACES_"])
@pytest.mark.parametrize("given", HEADERS)
def test_what_the_sdk_leaves_out_of_headers_is_found(given: str, signal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it reads them, and nothing else is complained of; the value is not shown."""
    name = f"OTEL_EXPORTER_OTLP_{signal}HEADERS"
    healthy(monkeypatch, **{name: given})
    parts = [each for each in given.split(",") if each.strip()]
    assert (len(parse_env_headers(given, liberal=True)) == len(parts)) is HEADERS[given]
    found = doctor()
    assert found.complaints == ([] if HEADERS[given] else ["otlp_headers"])
    assert HEADERS[given] or f"write {name}=" in found["otlp_headers"]["fix"]
    assert not any("abc" in each["says"] for each in found.findings)


UNKNOWN_EXPORTERS = ["otpl", "none,otlp", "otlp,none", "otlp,", "OTLP", "jaegr", "console otlp", "posthog_"]


@pytest.mark.parametrize("signal", ["TRACES", "METRICS", "LOGS"])
@pytest.mark.parametrize("names", UNKNOWN_EXPORTERS)
def test_an_exporter_that_does_not_exist_is_found(names: str, signal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK then does not start, so that no event arrives either: it is the gravest, and the SDK agrees."""
    variable = f"OTEL_{signal}_EXPORTER"
    healthy(monkeypatch, **{variable: names})
    with pytest.raises(RuntimeError):
        _import_exporters(
            *(_get_exporter_names(each) if each == signal.lower() else [] for each in ("traces", "metrics", "logs"))
        )
    found = doctor()
    assert (found.status, found.ids[0]) == (1, "exporter_unknown")
    assert set(found.complaints) <= {"exporter_unknown"}
    assert variable in found["exporter_unknown"]["says"]
    assert f"{variable}=otlp" in found["exporter_unknown"]["fix"]


@pytest.mark.parametrize("names", ["none", " None ", "otlp", "console", "otlp, console", "otlp_proto_http", ""])
def test_an_exporter_that_exists_is_not_complained_of(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is written, as long as the SDK reads it so."""
    healthy(monkeypatch, OTEL_TRACES_EXPORTER=names, OTEL_EXPORTER_OTLP_ENDPOINT="http://collector")
    assert doctor().complaints == []


@pytest.mark.parametrize("environ", GOOD, ids=str)
def test_a_good_end_is_not_complained_of(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one signal or all, in a file, or none on purpose."""
    healthy(monkeypatch, **environ)
    assert doctor().complaints == []


@pytest.mark.parametrize("text", [None, "file_format: [", "resource: 3\n"])
def test_a_configuration_file_that_cannot_be_read_is_found(
    text: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is not there, is no YAML, or says what no such file can."""
    path = tmp_path / "otel.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    healthy(monkeypatch, OTEL_CONFIG_FILE=str(path))
    found = doctor()
    assert found.complaints == ["config_file_refused"]
    assert str(path) in found["config_file_refused"]["says"]


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
