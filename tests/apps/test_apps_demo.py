"""`otel-posthog demo`, whole: the real app, real servers, and the control without the package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_posthog.apps.demo.model import OWN
from otel_posthog.testing import FakePostHog

TIMEOUT_S = 180
COMMAND = [sys.executable, "-c", "import sys; from otel_posthog.apps.cli import main; sys.exit(main())", "demo"]


def demo(*arguments: str, **environment: str) -> tuple[int, dict[str, Any], str]:
    """Run the demo and return its exit status, its figures and what it said."""
    ran = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, **environment},
    )
    lines = ran.stdout.splitlines()
    assert lines, ran.stderr
    figures: dict[str, Any] = json.loads(lines[-1])
    return ran.returncode, figures, ran.stderr


@pytest.fixture(scope="module")
def protected() -> tuple[int, dict[str, Any], str]:
    """Return an ordinary run."""
    return demo("--json")


@pytest.fixture(scope="module")
def unprotected() -> tuple[int, dict[str, Any], str]:
    """Return the same run without the package."""
    return demo("--json", "--unprotected", "--sampler", "always_on")


def test_every_product_event_arrives_once(protected: tuple[int, dict[str, Any], str]) -> None:
    """With one trace in ten kept, all product events are there, by name, and none twice."""
    status, figures, said = protected
    assert figures["delivered_by_name"] == figures["expected_by_name"], said
    assert figures["product_events_delivered"] == figures["product_events_expected"] >= 200
    assert figures["duplicates"] == 0
    assert figures["surprises"] == []
    assert status == 0, said


def test_no_planted_value_reaches_either_end(protected: tuple[int, dict[str, Any], str]) -> None:
    """None of the planted values stands in the bytes of either side."""
    _, figures, _ = protected
    assert figures["planted_values"] >= 20
    assert figures["leaks_to_posthog"] == []
    assert figures["leaks_to_otlp"] == []
    assert figures["planted_values_seen_by_posthog"] == figures["planted_values_seen_by_otlp"] == 0


def test_operational_side_is_there_without_product_data(protected: tuple[int, dict[str, Any], str]) -> None:
    """Spans of about a tenth of the traces, logs and metrics arrive, none with a product attribute."""
    _, figures, _ = protected
    assert figures["operational_items_with_product_attributes"] == 0
    assert 0.03 < figures["operational_spans"] / figures["spans_of_all_requests"] < 0.2
    assert figures["operational_logs"] > 100
    assert figures["operational_metrics"] > 3


def test_control_without_the_package_turns_red(unprotected: tuple[int, dict[str, Any], str]) -> None:
    """Every planted value is really put into the telemetry: without the filters the OTLP sink sees them all."""
    status, figures, said = unprotected
    assert status == 1
    assert figures["planted_values_seen_by_otlp"] == figures["planted_values"] >= 20
    assert figures["operational_items_with_product_attributes"] > 0
    assert figures["product_events_delivered"] == 0
    assert "this was the app without otel-posthog" in said
    assert "reached PostHog, as nothing sends them" in said
    assert "is collection switched off" not in said
    assert all(leak.isascii() and leak.isprintable() for leak in figures["leaks_to_otlp"])


def test_sdk_counts_the_spans_that_are_exported(unprotected: tuple[int, dict[str, Any], str]) -> None:
    """What is given as the spans of all requests is what `always_on` exports."""
    _, figures, _ = unprotected
    assert figures["spans_of_all_requests"] == figures["operational_spans"]


def test_runs_expect_the_same_events(
    protected: tuple[int, dict[str, Any], str], unprotected: tuple[int, dict[str, Any], str]
) -> None:
    """Traffic is the same on every run, and the app makes the same spans with the package as without."""
    for key in ("requests", "expected_by_name", "planted_values", "spans_of_all_requests"):
        assert protected[1][key] == unprotected[1][key]


def test_always_off_loses_no_product_event() -> None:
    """Without a single operational span, every product event arrives."""
    status, figures, said = demo("--json", "--sampler", "always_off", "--requests", "120")
    assert status == 0, said
    assert figures["operational_spans"] == 0
    assert figures["product_events_delivered"] == figures["product_events_expected"] > 50


def test_a_key_that_is_exported_gets_nothing_unasked() -> None:
    """What is made up stays on this machine, and a line says how to send it."""
    with FakePostHog(api_key="phc_own") as own:
        status, figures, said = demo("--json", "--requests", "24", POSTHOG_API_KEY="phc_own", POSTHOG_HOST=own.url)
        assert own.requests == []
    assert status == 0, said
    assert figures["product_events_delivered"] == figures["product_events_expected"] > 0
    assert "- POSTHOG_API_KEY not used: --live sends there" in said
    assert "one trace in ten kept" in said


def test_live_without_a_destination_is_wrong_usage() -> None:
    """Nothing is started."""
    environ = {name: value for name, value in os.environ.items() if name not in OWN}
    ran = subprocess.run([*COMMAND, "--live"], capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert ran.returncode == 2
    assert ran.stderr == "otel-posthog demo: --live needs POSTHOG_API_KEY or OTEL_EXPORTER_OTLP_ENDPOINT\n"


def test_servers_of_the_users_own_leave_figures_unknown(tmp_path: Path) -> None:
    """What only another server can know is null, and is said."""
    own = {"POSTHOG_API_KEY": "phc_own", "POSTHOG_HOST": "http://127.0.0.1:9"}
    status, figures, said = demo("--json", "--live", "--requests", "24", **own)
    assert status == 0, said
    assert figures["product_events_delivered"] is None
    assert figures["planted_values_seen_by_posthog"] is None
    assert figures["planted_values_seen_by_otlp"] == 0
    assert "must be in your PostHog project now" in said
