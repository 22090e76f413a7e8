"""What the doctor finds of the directories in which state and events are kept, on real disks."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctored import doctor, healthy


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An app in which nothing is wrong, in a folder of its own."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch)


@pytest.mark.parametrize("variable", ["OTEL_POSTHOG_STATE_DIR", "OTEL_POSTHOG_SPOOL_DIR"])
def test_a_directory_that_cannot_be_made_is_found(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variable that names another."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(variable, str(tmp_path / "file" / "below"))
    found = doctor()
    assert "directory_not_writable" in found.complaints
    assert variable in found["directory_not_writable"]["fix"]
