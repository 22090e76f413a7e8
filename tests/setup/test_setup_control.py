"""`set_collection()`: one process opts out, and all of its installation heed it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

import otel_posthog
from otel_posthog.actor.context import Baggage, use_baggage
from otel_posthog.health import DROPPED
from otel_posthog.policy import Policy, activate
from otel_posthog.setup import configure as module
from otel_posthog.testing import FakePostHog, Fault


@pytest.fixture
def tracer_provider(fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    """A program that is set up while PostHog is away."""
    monkeypatch.setattr(module, "_running", None)
    monkeypatch.setattr(module, "_is_attached", False)
    fake_posthog.fault(Fault(status=503, times=None))
    traces, logs = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    otel_posthog.configure(api_key="phc_test", host=fake_posthog.url, tracer_provider=traces, logger_provider=logs)
    yield traces
    otel_posthog.shutdown(0)
    traces.shutdown()
    logs.shutdown()
    activate(Policy())
    use_baggage(Baggage())


def counted(reason: str) -> int:
    """Return how many events were dropped for `reason`."""
    running = module.running()
    assert running is not None
    return running.health.snapshot().get((DROPPED, reason), 0)


def emit(provider: TracerProvider, count: int = 1) -> None:
    """Make product events."""
    for _ in range(count):
        provider.get_tracer("t").start_span("op", attributes={"analytics.event": "e"}).end()


def test_opting_out_in_this_process_drops_what_waits_at_once(
    tracer_provider: TracerProvider, fake_posthog: FakePostHog
) -> None:
    """In memory and on disk, counted; afterwards nothing is taken, and opting in again sends what comes then."""
    emit(tracer_provider, 3)
    assert not otel_posthog.flush(0.2)
    assert otel_posthog.set_collection(False)
    emit(tracer_provider, 2)
    assert otel_posthog.flush(5)
    assert counted("opted_out") == 3
    fake_posthog.clear_faults()
    assert otel_posthog.set_collection(True)
    emit(tracer_provider)
    assert otel_posthog.flush(10)
    assert len(fake_posthog.unique_events) == 1


def test_a_running_process_sees_another_one_opt_out(tracer_provider: TracerProvider) -> None:
    """Within three seconds, though it makes no event; the choice is another process's."""
    emit(tracer_provider, 3)
    assert not otel_posthog.flush(0.2)
    code = "import otel_posthog; print(otel_posthog.set_collection(False))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "True"
    opted_out = time.monotonic()
    assert otel_posthog.flush(20)
    # LOOK_INTERVAL_S and the worker's idle time are 3 s together; the rest is a busy machine's.
    assert time.monotonic() - opted_out < 10
    assert counted("opted_out") == 3


def test_a_choice_that_cannot_be_kept_is_answered_with_false(
    tracer_provider: TracerProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A settings page can say so."""
    (tmp_path / "file").write_text("", encoding="ascii")
    monkeypatch.setenv("OTEL_POSTHOG_STATE_DIR", str(tmp_path / "file" / "below"))
    assert not otel_posthog.set_collection(False)
