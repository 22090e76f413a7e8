"""`otel-posthog doctor` in this process, and what it finds; the environment of a healthy app to begin with."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import pytest

from otel_posthog.apps.cli import main

KEY = "phc_" + "Abcdefghij0123456789" * 2 + "xyz"
"""As long as a project's key, and nobody's."""


@dataclass(frozen=True)
class Found:
    """What a doctor found.

    Attributes:
        status: The exit status.
        findings: As `--json` prints them, in that order.
    """

    status: int
    findings: Sequence[dict[str, str]]

    def __getitem__(self, kind: str) -> dict[str, str]:
        """Return the first finding of a kind."""
        found = next((each for each in self.findings if each["id"] == kind), None)
        assert found is not None, f"no {kind}: {self.findings}"
        return found

    @property
    def ids(self) -> list[str]:
        """The kinds that are found, in order."""
        return [each["id"] for each in self.findings]

    @property
    def complaints(self) -> list[str]:
        """The kinds of what is not well."""
        return [each["id"] for each in self.findings if each["level"] != "ok"]


def doctor(*words: str) -> Found:
    """Run `otel-posthog doctor --json` with `words` behind it."""
    out = io.StringIO()
    with redirect_stdout(out):
        status = main(["doctor", "--json", *words])
    return Found(status, json.loads(out.getvalue()))


def healthy(monkeypatch: pytest.MonkeyPatch, **further: str) -> None:
    """Set the environment of an app in which nothing is wrong, and `further` variables."""
    monkeypatch.setenv("POSTHOG_API_KEY", KEY)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GRPC_PROXY",
    ):
        for each in (name, name.lower()):
            monkeypatch.delenv(each, raising=False)
    for name, value in further.items():
        monkeypatch.setenv(name, value)


def texts(found: Found) -> Iterator[str]:
    """Yield everything that a person reads."""
    for each in found.findings:
        yield from each.values()


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
