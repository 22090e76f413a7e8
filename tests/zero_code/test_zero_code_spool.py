"""The spool under the real `opentelemetry-instrument`: what one process could not deliver, the next one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from instrumented import EVENTS_PER_ORDER, shop

from otel_posthog.apps.cli import main
from otel_posthog.testing import FakePostHog, OtlpSink

ORDERS = 3

KILLED = """
import os, signal, sys
from pathlib import Path
from opentelemetry import trace
tracer = trace.get_tracer("app")
for number in range(5):
    with tracer.start_as_current_span("work", attributes={"analytics.event": "worked", "analytics.n": number}):
        pass
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_outage_longer_than_the_process_loses_nothing(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """The first process ends while PostHog is away and says that nothing was lost; the second delivers for both."""
    fake_posthog.pause()
    first = shop(ORDERS, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert "were not delivered" not in first.out
    fake_posthog.resume()
    shop(ORDERS, otlp=otlp_sink.url, posthog=fake_posthog.url)
    main(["spool", "drain", "--json"])
    expected = 2 * ORDERS * EVENTS_PER_ORDER
    assert len(fake_posthog.unique_events) == len({each.uuid for each in fake_posthog.events}) == expected


def test_write_through_loses_nothing_to_a_kill(
    fake_posthog: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL right after the last span: all five are on disk, and a drain has them delivered."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\ndelivery: {durability: write_through, flush_interval_s: 60}\n")
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    monkeypatch.setenv("POSTHOG_HOST", fake_posthog.url)
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(policy))
    for name in ("TRACES", "METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{name}_EXPORTER", "none")
    command = [str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable, str(script)]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert fake_posthog.events == []
    started = time.monotonic()
    assert main(["spool", "drain"]) == 0
    assert time.monotonic() - started < 30
    assert sorted(each.properties["n"] for each in fake_posthog.events) == [0, 1, 2, 3, 4]
