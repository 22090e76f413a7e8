"""What the doctor finds of filters, sampling and other ways into PostHog."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctored import doctor, healthy


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of an app in which nothing is wrong."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch)
    return tmp_path / "app"


def policy(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the app use a policy."""
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(folder / "policy.yaml"))


POLICIES = {
    "policy_refused": ("privcy: {}\n", "did you mean `privacy`"),
    "policy_weaker": ("operational: {redact: false}\n", "weaker than built in"),
    "spool_in_memory": ("delivery: {durability: memory}\n", "loses them"),
}


@pytest.mark.parametrize("kind", POLICIES)
def test_what_a_policy_says_is_found(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else."""
    text, says = POLICIES[kind]
    policy(text, folder, monkeypatch)
    found = doctor()
    assert found.complaints == [kind]
    assert says in found[kind]["says"]


VARIABLES = {
    "unsampled_none": {"OTEL_POSTHOG_SAMPLER": "off"},
    "unsampled_whole": {"OTEL_POSTHOG_LIGHT_SPANS": "false"},
    "setting_refused": {"OTEL_POSTHOG_SAMPLER": "nope"},
    "otlp_not_named": {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
}


@pytest.mark.parametrize("kind", VARIABLES)
def test_what_a_variable_says_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else."""
    healthy(monkeypatch, **VARIABLES[kind])
    assert doctor().complaints == [kind]


def test_spans_of_another_sdk_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are recorded whole."""
    monkeypatch.delattr("opentelemetry.sdk.trace._Span")
    assert doctor().complaints == ["unsampled_whole_by_sdk"]


def test_posthog_python_beside_is_found(folder: Path) -> None:
    """In code that imports it while the bridge is off."""
    (folder / "shop.py").write_text("import posthog\n", encoding="utf-8")
    assert doctor().complaints == ["posthog_python_beside"]
