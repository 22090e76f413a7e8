"""How `otel-posthog doctor` shows its findings: to a person at a terminal, to a log, to a script."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from fcntl import ioctl
from pathlib import Path

import pytest
from doctored import KEY

COMMAND = [str(Path(sys.executable).with_name("otel-posthog")), "doctor"]
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def environment(folder: Path, **further: str) -> dict[str, str]:
    """Return the environment of an app with some problems, and some notes."""
    (folder / "file").touch()
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "xterm-256color",
        "POSTHOG_API_KEY": "phx_" + KEY[4:], "POSTHOG_HOST": "eu.i.posthog.com",
        "OTEL_POSTHOG_SPOOL_DIR": str(folder / "file" / "spool"), "OTEL_POSTHOG_STATE_DIR": str(folder / "state"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", "USAGE_STATS": "false", **further,
    }  # fmt: skip


def at_terminal(folder: Path, *words: str, columns: int = 100, further: Mapping[str, str] | None = None) -> str:
    """Return what a terminal of that width gets."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [*COMMAND, *words],
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        cwd=folder,
        env=environment(folder, **(further or {})),
    ):
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


def piped(folder: Path, *words: str, **further: str) -> subprocess.CompletedProcess[str]:
    """Return what a pipe gets."""
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, cwd=folder, env=environment(folder, **further), timeout=120,
        check=False,
    )  # fmt: skip


def test_a_terminal_gets_groups_colors_and_lines_that_fit(tmp_path: Path) -> None:
    """Each finding with its mark, what to do below it, and the gravest problem named first at the end."""
    shown = at_terminal(tmp_path, columns=80)
    assert "\x1b[31m✗" in shown
    plain = COLOR.sub("", shown)
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 80
    heads = [
        line for line in plain.partition("nothing was sent")[0].splitlines() if line and not line.startswith((" ", "✗"))
    ]
    assert heads == ["Configuration", "OTLP", "Filters", "Spool", "Process"]
    assert "  ✗  key" in plain
    assert re.search(r"^ +→ write POSTHOG_HOST=https://eu\.i\.posthog\.com$", plain, re.MULTILINE)
    assert "✗ 3 problems, 1 note; the gravest first: key, host, spool directory\n" in plain


@pytest.mark.parametrize("further", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_that_wants_no_colors_gets_none(further: dict[str, str], tmp_path: Path) -> None:
    """The same words without."""
    assert "\x1b[3" not in at_terminal(tmp_path, further=further)


def test_a_pipe_gets_whole_lines_without_colors(tmp_path: Path) -> None:
    """For logs and for `grep`; nothing but findings, and the exit status."""
    ran = piped(tmp_path)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "\x1b" not in ran.stdout
    line = next(each for each in ran.stdout.splitlines() if "POSTHOG_API_KEY is" in each)
    assert line.endswith("which opens the whole account and takes no events")


def test_an_output_without_those_characters_gets_words(tmp_path: Path) -> None:
    """Marks and arrows, in a log that is ASCII."""
    ran = piped(tmp_path, LANG="C", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert ran.stdout.isascii()
    assert "  WRONG  key" in ran.stdout
    assert "-> write POSTHOG_HOST=" in ran.stdout


def test_a_script_gets_the_same_findings(tmp_path: Path) -> None:
    """As an array of objects with these keys, the gravest first, and the same exit status."""
    ran = piped(tmp_path, "--json")
    found = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert {tuple(each) for each in found} == {("id", "level", "group", "about", "says", "fix")}
    assert [each["id"] for each in found if each["level"] == "wrong"] == [
        "key_personal", "host_no_scheme", "directory_not_writable",
    ]  # fmt: skip


def test_what_is_waited_for_is_shown_and_taken_away(tmp_path: Path) -> None:
    """On a terminal only: what is asked, until it has answered."""
    nobody = "http://127.0.0.1:9"
    further = {
        "POSTHOG_API_KEY": KEY,
        "POSTHOG_HOST": nobody,
        "USAGE_STATS": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": nobody,
    }
    shown = at_terminal(tmp_path, "--send", "--timeout", "5", further=further)
    assert re.search(r"\r\x1b\[K(.+ \.\.\.)\r\x1b\[K", shown)
    assert "asking PostHog" in shown
    assert "..." not in piped(tmp_path, "--send", "--timeout", "5", **further).stderr


PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
# What differs from machine to machine: versions, and the digest of the policy's rules.
NUMBERS = re.compile(r"\b\d+\.\d+\.\d+\w*\b|(?<=version )[0-9a-f]{12}\b")


def test_the_page_shows_what_is_printed(tmp_path: Path) -> None:
    """The sample at its top is that of an app with these mistakes."""
    shown = PAGE.read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    printed = piped(tmp_path).stdout.replace(str(tmp_path), "/srv/shop")
    assert NUMBERS.sub("...", printed) == NUMBERS.sub("...", shown)
