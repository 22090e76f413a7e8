"""What the doctor finds of the operational side by how it is written, with the exporters of the SDK to agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctored import asked, complaints, doctor, healthy
from grpc_end import grpc_end
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from opentelemetry.sdk._configuration import _get_exporter_names, _import_exporters
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.util.re import parse_env_headers

from otel_posthog.testing import OtlpSink

HTTP = "http/protobuf"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An app in which nothing is wrong; what is wrong is on its other side."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch)


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
