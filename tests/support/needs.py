"""What a test needs of the machine: where it is not there the test says so, and under `CI=true` it fails."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(command: str, what_for: str) -> str:
    """Return the path of `command`; skip, or fail in CI, where it is not on this machine.

    Args:
        command: Its name.
        what_for: What the test does with it.
    """
    found = shutil.which(command)
    if found is None:
        lacking(f"{command} is not on this machine: {what_for}")
    return found or ""


def lacking(reason: str) -> None:
    """Skip the test with `reason`, or fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
