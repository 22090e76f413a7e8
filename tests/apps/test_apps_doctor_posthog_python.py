"""What `otel-posthog doctor` says of an app that uses posthog-python beside this package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otel_posthog.apps.cli import main
from otel_posthog.apps.doctor import posthog_python


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory that an app is in."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    (tmp_path / "app" / "shop").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path / "app"


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, str] | None:
    """Return what the doctor says of posthog-python."""
    assert main(["doctor", "--json"]) == 0
    found = {each["about"]: each for each in json.loads(capsys.readouterr().out)}
    return found.get("posthog-python")


@pytest.mark.parametrize("line", ["import posthog", "from posthog import Posthog", "import posthog as p"])
def test_an_app_with_two_ways_is_told_of_the_other(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file, and the one setting that makes one way of them."""
    (folder / "shop" / "analytics.py").write_text(f"import os\n{line}\n", encoding="utf-8")
    found = said(capsys)
    assert found is not None
    assert found["level"] == "note"
    assert found["says"].startswith(str(Path("shop", "analytics.py")))
    assert "OTEL_POSTHOG_BRIDGE=true" in found["fix"]


@pytest.mark.parametrize(("disabled", "level"), [("", "ok"), ("flask, posthog_python", "note")])
def test_with_the_bridge_all_is_well(
    disabled: str, level: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless its instrumentor is disabled."""
    (folder / "app.py").write_text("import posthog\n", encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_BRIDGE", "true")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", disabled)
    found = said(capsys)
    assert found is not None
    assert found["level"] == level


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app.py", "import posthog_tools\n# import posthog\n"),
        ("app.txt", "import posthog\n"),
        (".venv/lib.py", "import posthog\n"),
        ("venv/site-packages/posthog/client.py", "import posthog\n"),
        ("tests/test_app.py", "import posthog\n"),
    ],
)
def test_other_code_says_nothing(path: str, text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of other people's, of tests, and what only looks like it."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
    assert said(capsys) is None


def test_it_looks_at_so_many_files_and_no_more(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a directory with more, an answer comes soon; what cannot be read is passed over."""
    monkeypatch.setattr(posthog_python, "MAX_FILES", 2)
    for name in ("a.py", "b.py", "c.py"):
        (folder / name).write_text("import posthog\n" if name == "c.py" else "", encoding="utf-8")
    (folder / "broken.py").symlink_to(folder / "nowhere.py")
    assert said(capsys) is None
    monkeypatch.setattr(posthog_python, "MAX_FILES", 10)
    assert said(capsys) is not None
