"""`otel-posthog spool` where there is no spool: a place that somebody mistyped is told from one to come."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_posthog.apps.cli import main
from otel_posthog.apps.spool.pages import PAGES

WORDS = {
    "list": [], "inspect": [], "drain": [], "dead": [], "replay": [], "export": ["out"], "erase": ["--all"],
    "import": ["in"],
}  # fmt: skip
READERS = [name for name in WORDS if name != "import"]
NAMED = ["OTEL_POSTHOG_SPOOL_DIR", "OTEL_POSTHOG_STATE_DIR", "--directory"]


@pytest.fixture(autouse=True)
def _app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that has never been started, and a user who has a home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("POSTHOG_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("OTEL_POSTHOG_STATE_DIR")


def test_every_subcommand_is_looked_at() -> None:
    """One that is new is to answer in the same way."""
    assert set(WORDS) == set(PAGES)


def run(name: str, by: str, place: Path, monkeypatch: pytest.MonkeyPatch, *, is_json: bool = False) -> int:
    """Run a subcommand where `by` names `place`, and return its exit status."""
    words = ["spool", name, *WORDS[name], *(["--json"] if is_json else [])]
    if by == "--directory":
        return main([*words, by, str(place)])
    monkeypatch.setenv(by, str(place))
    return main(words)


@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.parametrize("by", NAMED)
@pytest.mark.parametrize("name", READERS)
def test_a_directory_that_is_named_and_does_not_exist_cannot_be_worked_on(
    name: str,
    by: str,
    *,
    is_json: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever erases or exports there is not told that nothing was to be done: status 2, who names it, and no trace."""
    place = tmp_path / "nowhere"
    assert run(name, by, place, monkeypatch, is_json=is_json) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert by in said.err
    assert str(place) in said.err
    assert "exist" in said.err or "is no directory" in said.err
    assert len(said.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--directory", ""], ["--directory="]])
@pytest.mark.parametrize("name", WORDS)
def test_an_empty_name_is_not_the_directory_where_somebody_stands(
    name: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a script passes it whose variable is not set: status 2, one line, and nothing is made there."""
    with pytest.raises(SystemExit) as ended:
        main(["spool", name, *WORDS[name], *words])
    said = capsys.readouterr()
    assert (ended.value.code, said.out, len(said.err.splitlines())) == (2, "", 1)
    assert "--directory" in said.err
    assert "name a directory, or leave it out" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("by", ["OTEL_POSTHOG_SPOOL_DIR", "--directory"])
@pytest.mark.parametrize("name", WORDS)
def test_a_file_is_no_spool(
    name: str, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For `import` as well, which would have made a directory."""
    place = tmp_path / "file"
    place.write_text("x", encoding="ascii")
    assert run(name, by, place, monkeypatch) == 2
    said = capsys.readouterr()
    assert (said.out, place.read_text(encoding="ascii")) == ("", "x")
    assert f"{place} is no directory" in said.err
    assert by in said.err


@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.parametrize("name", READERS)
def test_the_usual_place_that_is_to_come_is_no_mistake(
    name: str, is_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 0, the usual answer, and beside it where was looked: the app may be another Python's."""
    words = ["spool", name, *WORDS[name], *(["--json"] if is_json else [])]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "does not exist: no app of this Python has kept events yet" in said.err
    assert "OTEL_POSTHOG_STATE_DIR" in said.err
    assert said.out or (name, is_json) == ("inspect", True)


def test_a_state_directory_without_a_spool_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An app whose events wait in memory makes one and not the other."""
    (tmp_path / "state").mkdir()
    assert run("list", "OTEL_POSTHOG_STATE_DIR", tmp_path / "state", monkeypatch) == 0
    assert "nothing waits" in capsys.readouterr().out
