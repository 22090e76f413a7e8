"""How long a process that ends is held up: by what would be lost, and a moment by what is on disk already."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_posthog.apps.spool.survey import survey
from otel_posthog.errors import ConfigurationError
from otel_posthog.setup.settings import read_settings
from otel_posthog.testing import FakePostHog, Fault

pytestmark = pytest.mark.alone

PROGRAM = """
import os, sys, time
from opentelemetry.sdk.trace import TracerProvider
import otel_posthog
from otel_posthog.policy import DeliveryPolicy, Destination, Durability, Policy

host, durability, ending = sys.argv[1:4]
# Longer than any of these waits, so that only what is tested ends them.
limits = DeliveryPolicy(durability=Durability(durability), shutdown_timeout_s=6.0, max_batch_events=2)
policy = Policy(destinations=(Destination(api_key="phc_test", host=host),), delivery=limits)
providers = [TracerProvider(shutdown_on_exit=ending == "providers") for _ in range(3)]
for each in providers:
    otel_posthog.configure(policy=policy, tracer_provider=each)
for number in range(8):
    providers[0].get_tracer("t").start_span("e", attributes={"analytics.event": "e", "analytics.n": number}).end()
began = time.monotonic()
if ending == "flush":
    otel_posthog.flush(2.0)
elif ending == "shutdown":
    otel_posthog.shutdown(2.0)
print(f"{time.monotonic() - began:.3f}", time.time(), flush=True)
"""


@pytest.fixture
def silent(fake_posthog: FakePostHog) -> Iterator[FakePostHog]:
    """A PostHog that takes what it gets and never answers, as behind a network that swallows packets."""
    fake_posthog.fault(Fault(hang_s=60, times=None))
    yield fake_posthog
    fake_posthog.clear_faults()


def ended(host: str, tmp_path: Path, *, durability: str = "spool", ending: str = "exit", **environ: str) -> list[float]:
    """Run the program; return how long its last call took and how long the process lived after it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, host, durability, ending],
        env={**os.environ, "OTEL_POSTHOG_SPOOL_DIR": str(tmp_path / "spool"), **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    call_s, at = done.stdout.split()
    return [float(call_s), time.time() - float(at)]


def left(tmp_path: Path) -> int:
    """Return how many events are on disk."""
    return sum(each.events for each in survey(tmp_path / "spool"))


@pytest.mark.parametrize("ending", ["exit", "providers"])
def test_an_exit_waits_a_second_for_a_network_that_swallows_what_is_on_disk(
    ending: str, silent: FakePostHog, tmp_path: Path
) -> None:
    """However many providers shut down one after the other; everything is there for the next process."""
    _, seconds = ended(silent.url, tmp_path, ending=ending)
    assert 0.9 <= seconds < 2.9
    assert left(tmp_path) == 8


def test_how_long_an_exit_tries_is_a_setting(silent: FakePostHog, tmp_path: Path) -> None:
    """Of the environment; the policy's is the default of that."""
    assert ended(silent.url, tmp_path, OTEL_POSTHOG_EXIT_TRY_S="0")[1] < 0.9
    assert 2.4 <= ended(silent.url, tmp_path, OTEL_POSTHOG_EXIT_TRY_S="2.5")[1] < 3.9
    assert left(tmp_path) == 16
    assert read_settings({"OTEL_POSTHOG_EXIT_TRY_S": " 0.25 "}).policy.delivery.exit_try_s == 0.25
    assert read_settings({}).policy.delivery.exit_try_s == 1.0


@pytest.mark.parametrize("word", ["soon", "-1", "nan", "inf", "1s"])
def test_a_patience_that_is_none_is_said_at_start(word: str) -> None:
    """In one line, with what to write instead."""
    with pytest.raises(ConfigurationError, match="OTEL_POSTHOG_EXIT_TRY_S must be a number of seconds, such as 1"):
        read_settings({"OTEL_POSTHOG_EXIT_TRY_S": word})


@pytest.mark.parametrize("ending", ["flush", "shutdown"])
def test_who_asks_to_wait_so_long_waits_so_long(ending: str, silent: FakePostHog, tmp_path: Path) -> None:
    """`flush()` and `shutdown(timeout_s)` say it themselves: the patience of an exit is not theirs."""
    call_s, seconds = ended(silent.url, tmp_path, ending=ending)
    assert 1.9 <= call_s < 3.4
    assert seconds < 2.9
    assert left(tmp_path) == 8


def test_what_would_be_lost_holds_an_exit_until_its_timeout(silent: FakePostHog, tmp_path: Path) -> None:
    """Without a disk the process has nothing to leave to the next one."""
    assert 5.5 <= ended(silent.url, tmp_path, durability="memory")[1] < 7.5


def test_each_batch_that_is_taken_renews_the_patience(fake_posthog: FakePostHog, tmp_path: Path) -> None:
    """A server that is slow and works gets all of it, within `shutdown_timeout_s`."""
    fake_posthog.fault(Fault(delay_s=0.7, times=None))
    _, seconds = ended(fake_posthog.url, tmp_path, OTEL_POSTHOG_EXIT_TRY_S="2")
    assert 2.0 < seconds < 6.9
    assert len(fake_posthog.unique_events) == 8
    assert left(tmp_path) == 0
