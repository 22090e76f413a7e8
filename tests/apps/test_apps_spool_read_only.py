"""`otel-posthog spool` and the doctor on a read-only file system: what waits there is shown, never said to be gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from clean import clean
from disks import read_only
from spooled import spool

from otel_posthog.apps.cli import main
from otel_posthog.apps.spool.survey import survey


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a spool in which an ended process left three events, as it is mounted read-only."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("POSTHOG_HOST", "http://127.0.0.1:9")
    store = spool(tmp_path / "spool")
    for number in range(3):
        store.put(clean(number, "ticket_created"))
    store.close()
    with read_only(tmp_path / "spool", tmp_path / "there") as there:
        monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(there))
        yield there


@pytest.mark.parametrize(
    "words",
    [["drain"], ["export", "x"], ["erase", "--all"], ["erase", "--distinct-id", "u"], ["replay"], ["import", "x"]],
)
def test_what_would_change_it_says_that_it_cannot(
    words: list[str], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and one line; not that nothing waits, and no file of no events."""
    monkeypatch.chdir(tmp_path)
    assert main(["spool", *words]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert f"{root} cannot be used" in said.err
    assert "read-only" in said.err
    assert not list(tmp_path.glob("x*"))


def test_what_looks_shows_what_waits(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`list`, `inspect` and a copy of it all; left behind, since nobody has it."""
    assert main(["spool", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["events"], row["state"]) == (3, "left behind")
    assert main(["spool", "inspect", "--json"]) == 0
    assert capsys.readouterr().out.count("ticket_created") == 3
    assert main(["spool", "export", "--keep", "--json", str(tmp_path / "x")]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["exported"], shown["still_in_spool"]) == (3, 3)
    assert sum(each.events for each in survey(root)) == 3


@pytest.mark.usefixtures("root")
def test_the_doctor_does_not_say_that_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    """It says that the directory cannot be written, and what waits in it."""
    main(["doctor", "--json"])
    found = {each["id"] for each in json.loads(capsys.readouterr().out)}
    assert "directory_not_writable" in found
    assert "spool_empty" not in found
    assert found & {"spool_waits", "spool_left", "spool_other_project"}
