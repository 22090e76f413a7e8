"""The app that the doctor's tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctored import healthy


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of an app in which nothing is wrong."""
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    healthy(monkeypatch)
    return tmp_path / "app"
