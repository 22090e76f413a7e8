"""Whole programs that end, with threads and with gevent's in their place: everything arrives, then or with the next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otel_posthog.testing import FakePostHog

PROGRAM = Path(__file__).parents[1] / "support" / "ends.py"


@pytest.mark.parametrize("ending", ["exit", "shutdown", "os_exit"])
@pytest.mark.parametrize("threads", ["threads", "gevent"])
def test_a_program_that_ends_loses_nothing(
    threads: str, ending: str, fake_posthog: FakePostHog, tmp_path: Path
) -> None:
    """Delivered by its own exit, or left on disk and delivered by the program that comes next."""
    environ = {**os.environ, "OTEL_POSTHOG_SPOOL_DIR": str(tmp_path / "spool"), "INSTANCE_ID": "ends"}
    command = [sys.executable, "-W", "ignore", str(PROGRAM), fake_posthog.url, threads]
    for ends in (ending, "shutdown"):
        done = subprocess.run([*command, ends], env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert len(fake_posthog.wait_for(20, timeout_s=1)) == 20


@pytest.mark.parametrize("ending", ["exit", "os_exit", "child"])
def test_a_program_that_ends_soon_tells_its_mistakes(ending: str, fake_posthog: FakePostHog, tmp_path: Path) -> None:
    """A minute is not waited for: losses at WARNING and what the mode decided at INFO, once each."""
    environ = {**os.environ, "OTEL_POSTHOG_SPOOL_DIR": str(tmp_path / "spool"), "INSTANCE_ID": "ends"}
    command = [sys.executable, "-W", "ignore", str(PROGRAM.with_name("mistaken.py")), fake_posthog.url, ending]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=True)
    told = [line.replace("product events since the last report: ", "") for line in done.stderr.splitlines()]
    assert [line for line in told if "dropped" in line] == [
        "INFO 1 dropped (person_event 1)",
        "WARNING 2 dropped (name_invalid 2)",
    ]
