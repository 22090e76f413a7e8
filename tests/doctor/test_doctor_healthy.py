"""Set-ups in which nothing is wrong: the doctor complains of none, whatever an app's telemetry goes through."""

from __future__ import annotations

from pathlib import Path

import pytest
from collector import collector
from doctored import KEY, doctor, healthy, texts
from gateway import gateway

from otel_posthog.testing import FakePostHog, OtlpSink

HTTP = "http/protobuf"
TOKEN = "sesame-" * 4


@pytest.fixture
def posthog(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fake_posthog: FakePostHog) -> FakePostHog:
    """A PostHog that knows the app's key."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch, POSTHOG_HOST=fake_posthog.url)
    fake_posthog.api_key = KEY
    return fake_posthog


def test_an_app_behind_a_gateway_is_healthy(
    posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Over both protocols, with the token that the gateway wants; without it that is what is said."""
    (tmp_path / "gateway").mkdir()
    with gateway(
        posthog=posthog.url, directory=tmp_path / "gateway", grpc=True, POSTHOG_API_KEY=KEY,
        OTEL_POSTHOG_GATEWAY_TOKENS=TOKEN,
    ) as made:  # fmt: skip
        for port, protocol in ((made.http_port, HTTP), (made.grpc_port, "grpc")):
            healthy(
                monkeypatch,
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
                OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
                OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{TOKEN}",
                OTEL_METRICS_EXPORTER="none",
            )
            found = doctor("--send", "--timeout", "20")
            assert (found.status, found.complaints) == (0, [])
            assert {"trial_arrived", "otlp_taken"} <= set(found.ids)
            assert not [each for each in texts(found) if TOKEN in each]
            monkeypatch.delenv("OTEL_EXPORTER_OTLP_HEADERS")
            assert doctor("--send").complaints == ["otlp_not_allowed"]


def test_an_app_with_a_collector_in_between_is_healthy(posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's own, over both protocols."""
    ends = ("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT")
    with (
        OtlpSink() as backend,
        collector("base", "privacy", "grafana", environ=dict.fromkeys(ends, backend.url)) as made,
    ):
        for port, protocol in ((made.http_port, HTTP), (made.grpc_port, "grpc")):
            healthy(
                monkeypatch,
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
                OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            )
            found = doctor("--send", "--timeout", "20")
            assert (found.status, found.complaints) == (0, [])
            assert {"trial_arrived", "otlp_taken"} <= set(found.ids)
        assert backend.items == 0
    assert len(posthog.events) == 2


MODES = {
    "unlinked": {"OTEL_POSTHOG_IDENTITY": "unlinked"},
    "daily": {"OTEL_POSTHOG_IDENTITY": "daily"},
    "pseudonymous": {"OTEL_POSTHOG_IDENTITY": "pseudonymous", "OTEL_POSTHOG_IDENTITY_KEYS": "0123456789abcdef" * 3},
    "identified": {"ANALYTICS_ANONYMIZE_USER_IDS": "false", "NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "false"},
    "derive": {"OTEL_POSTHOG_DERIVE": "web,db,jobs"},
    "bridge": {"OTEL_POSTHOG_BRIDGE": "true"},
    "sampled": {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "by name": {"OTEL_TRACES_SAMPLER": "posthog", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "proxy for others": {"HTTPS_PROXY": "http://127.0.0.1:9"},
}


@pytest.mark.parametrize("name", MODES)
def test_every_usual_setting_is_healthy(name: str, posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Identity modes, derived events, the bridge, samplers: none is a reason to complain."""
    with OtlpSink() as sink:
        healthy(monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_EXPORTER_OTLP_PROTOCOL=HTTP, **MODES[name])
        found = doctor("--send", "--timeout", "20")
    assert (found.status, found.complaints) == (0, [])
    assert len(posthog.events) == 1
    assert not [each for each in texts(found) if KEY in each or "0123456789abcdef" in each]
