"""Who opts out and in again is another installation, in every process of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import load_installation
from otel_posthog.model import Signal, Source
from otel_posthog.setup.runtime import make_pipeline
from otel_posthog.setup.settings import read_settings
from otel_posthog.testing import FakePostHog

PROGRAM = """
import sys
from opentelemetry.sdk.trace import TracerProvider
import otel_posthog

provider = TracerProvider()
otel_posthog.configure(tracer_provider=provider)
tracer = provider.get_tracer("t")
for name in ("before", "after"):
    span = tracer.start_span(name, attributes={"analytics.event": name, "analytics.user.id": "ada"})
    span.end()
    assert otel_posthog.flush(20)
    if name == "before":
        assert otel_posthog.set_collection(False)
        tracer.start_span("x", attributes={"analytics.event": "while_out"}).end()
        assert otel_posthog.set_collection(True)
"""
CHANGE_OF_MIND = "import otel_posthog as o; assert o.set_collection(False); assert o.set_collection(True)"
FIRST_LINES = {"installation": "installation-", "daily": "daily-"}


def run(code: str, **environ: str) -> None:
    """Run a program."""
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **environ}, check=True, timeout=120)


@pytest.mark.parametrize("mode", ["installation", "daily"])
@pytest.mark.parametrize("instance", ["", "given by the operator"])
def test_who_opts_out_and_in_again_has_a_new_id(
    instance: str, mode: str, fake_posthog: FakePostHog, tmp_path: Path
) -> None:
    """With the next event of the same process, and in every process after it; `INSTANCE_ID` or not."""
    environ = {"POSTHOG_API_KEY": "phc_test", "POSTHOG_HOST": fake_posthog.url, "OTEL_POSTHOG_IDENTITY": mode}
    run(PROGRAM, INSTANCE_ID=instance, **environ)
    came = {each.event: each.distinct_id for each in fake_posthog.events}
    assert came.keys() == {"before", "after"}
    assert came["before"] != came["after"]
    assert all(each.startswith(FIRST_LINES[mode]) for each in came.values())
    if mode == "installation":
        assert load_installation({**os.environ, "INSTANCE_ID": instance}).distinct_id == came["after"]


def test_a_running_process_takes_the_new_id_over_however_soon_somebody_came_back(
    fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out and in again between two of its looks, in another process."""
    monkeypatch.setattr("otel_posthog.worker._IDLE_S", 0.05)
    environ = {**os.environ, "POSTHOG_API_KEY": "phc_test", "POSTHOG_HOST": fake_posthog.url}
    health = Health()
    made = make_pipeline(read_settings(environ), health, Guard(health), environ)
    made.start()
    made.submit(Signal(Source.LOG, "e", {}, time.time_ns()))
    assert made.flush(20)
    run(CHANGE_OF_MIND)
    following = load_installation(environ).distinct_id
    deadline = time.monotonic() + 20
    while fake_posthog.events[-1].distinct_id != following and time.monotonic() < deadline:
        made.submit(Signal(Source.LOG, "e", {}, time.time_ns()))
        assert made.flush(20)
        time.sleep(0.1)
    made.shutdown(5)
    assert len({each.distinct_id for each in fake_posthog.events}) == 2
    assert fake_posthog.events[-1].distinct_id == following


def test_nothing_of_who_opted_out_is_left_to_be_known_by(tmp_path: Path) -> None:
    """The id, the secrets of its periods and the salts of the day are gone at once."""
    state = tmp_path / "state"
    first = load_installation(os.environ)
    for name in ("daily-salt-20260101", "installation-weekly-2026W01", "installation-yearly-2026"):
        (state / name).write_text("a" * 64)
    (state / "somebodys-file").write_text("x")
    run("import otel_posthog as o; assert o.set_collection(False)")
    assert {each.name for each in state.iterdir()} <= {"opted-out", "installation-era", "spool-mark", "somebodys-file"}
    assert first.is_over
    assert load_installation(os.environ).distinct_id != first.distinct_id
