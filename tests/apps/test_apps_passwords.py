"""Passwords that stand in URLs of settings: whatever shows a setting shows it without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gateway import gateway

from otel_posthog.apps.cli import main
from otel_posthog.privacy import without_secrets

PASSWORD = "hunter" + "2-of-the-relay"
HOSTS = [
    f"https://ann:{PASSWORD}@relay.example",
    f"https://ann:{PASSWORD} {PASSWORD}@relay.example",
    f'https://ann:"{PASSWORD}"@relay.example',
    f"https://{PASSWORD}@relay.example:8443/ph",
    f"https://ann:%22{PASSWORD}%40@relay.example",
    f"https://ann:a@{PASSWORD}@relay.example",
    f"https://relay.example/ph?api_key={PASSWORD}",
]
TRACE_URL = f"https://bob:{PASSWORD}@grafana.example/explore?auth_token={PASSWORD}&traceId={{trace_id}}"
COMMANDS = [
    ["policy", "show"], ["policy", "show", "--section", "destinations"], ["policy", "show", "--section", "trace_url"],
    ["policy", "check"], ["doctor"], ["doctor", "--json"], ["doctor", "--send", "--timeout", "4"],
    ["doctor", "--send", "--timeout", "4", "--json"],
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_shows_a_password_of_a_setting(
    words: list[str], host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of the policy nor of the environment, neither for people nor for programs."""
    path = tmp_path / "policy.yaml"
    path.write_text(
        json.dumps({"destinations": [{"name": "a", "host": host, "api_key": "phc_x"}, {"name": "b", "host": host}],
                    "trace_url": TRACE_URL}),
        encoding="utf-8",
    )  # fmt: skip
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(path))
    monkeypatch.setenv("HTTPS_PROXY", f"http://proxy:{PASSWORD}@127.0.0.1:9")
    main(words)
    captured = capsys.readouterr()
    assert captured.out or captured.err
    assert PASSWORD not in captured.out + captured.err


def test_where_a_setting_leads_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is replaced is the password; an address of a machine is no person's here."""
    monkeypatch.setenv("POSTHOG_HOST", f"https://ann:{PASSWORD}@8.8.8.8:8443/ph")
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_x")
    assert main(["doctor"]) == 0
    assert "https://[secret]@8.8.8.8:8443/ph, identity" in capsys.readouterr().out
    for plain in ("https://eu.i.posthog.com", "https://8.8.8.8/{trace_id}", "set POSTHOG_API_KEY", "token"):
        assert without_secrets(plain) == plain


def test_the_start_of_a_gateway_shows_no_password(tmp_path: Path) -> None:
    """Its line says where events go."""
    with gateway(posthog=f"http://ann:{PASSWORD}@127.0.0.1:9", directory=tmp_path) as made:
        out = made.tree.out
    assert "http://[secret]@127.0.0.1:9" in out
    assert PASSWORD not in out
