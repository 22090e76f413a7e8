"""The public names, in a program that mypy checks with the rest and that runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import otel_posthog
from otel_posthog.testing import FakePostHog

EVENTS = [
    "search_performed",
    "label_printed",
    "$identify",
    "$set",
    "$set_once",
    "$create_alias",
    "$groupidentify",
    "spanned",
    "journey_started",
    "journey_step_completed",
    "journey_completed",
]
PROGRAM = Path(__file__).with_name("public_names.py")


def test_the_program_uses_every_public_name() -> None:
    """A name without a use there has no checked signature."""
    used = set(re.findall(r"\b\w+\b", PROGRAM.read_text(encoding="utf-8").partition("\nUSER")[2]))
    assert set(otel_posthog.__all__) - used == set()


def test_the_program_runs(fake_posthog: FakePostHog) -> None:
    """Under `-W error`, and each of its events arrives."""
    command = [sys.executable, "-W", "error", str(PROGRAM), fake_posthog.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "{'note': 'mail [email]'}" in done.stdout
    assert "flushed True" in done.stdout
    assert Counter(each.event for each in fake_posthog.unique_events) == dict.fromkeys(EVENTS, 1)
