"""From a fresh clone to a removed e-mail address in the inspector, by the README alone, in at most four commands.

The clone is of what is committed here (a copy where git makes none), and `make` makes its environment as on any
machine: a minute where uv has the packages already, some where it has not.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from chromium import browser
from inspector_page import Page
from needs import needs

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+")
MAX_COMMANDS, INSTALL_TIMEOUT_S, DEMO_TIMEOUT_S, STOP_TIMEOUT_S = 4, 900, 180, 60


def commands() -> list[str]:
    """Return the commands of README's first block, up to the one that starts the demo."""
    block = re.search(r"```\w*\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block
    found = [line.partition("#")[0].strip() for line in block[1].splitlines()]
    return found[: found.index("make demo") + 1]


# What a checkout has beside what is committed.
_MADE = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", ".hypothesis", "site", "dist")


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """Make a clone of this checkout, and take it and its environment away at the end.

    Of a folder that is no checkout, or another user's, of which git makes none, it is a copy.
    """
    target = tmp_path / "clone"
    git = shutil.which("git")
    if git is None or subprocess.run([git, "clone", "--quiet", str(ROOT), str(target)], check=False).returncode:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(ROOT, target, ignore=_MADE)
    yield target
    shutil.rmtree(target)


def terminal_of_a_newcomer() -> dict[str, str]:
    """Return the environment: nothing in it is of this checkout, its settings or its Python's packages."""
    # Also where a `make` runs this test: what that one was told is not for the one of the README.
    told = ("ARGS", "CI", "JOBS", "MAKE", "MFLAGS", "OTEL_", "POSTHOG_", "PYTEST", "PYTHON", "VENV", "VIRTUAL_ENV")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    ours = str(Path(sys.prefix, "bin"))
    path = os.pathsep.join(each for each in environ["PATH"].split(os.pathsep) if each != ours)
    # `python3` may be one that is too old here; a newcomer has one that is not.
    python = str(getattr(sys, "_base_executable", sys.executable))
    return {**environ, "PATH": path, "PYTHON": python, "TERM": "xterm", "COLUMNS": "200", "LINES": "60"}


class Terminal:
    """What a program prints on a terminal, as it comes."""

    def __init__(self, end: int) -> None:
        self.text = ""
        self._end, self._changed, self._has_ended = end, threading.Condition(), False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def address(self) -> str:
        """Wait for an address that leads to an inspector, and return it."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_ended or ADDRESS.search(self.text), INSTALL_TIMEOUT_S)
        found = ADDRESS.search(self.text)
        assert found, self.text[-2000:]
        return found[0]

    def _read(self) -> None:
        # The end of a terminal whose program has ended is an error on Linux.
        try:
            while data := os.read(self._end, 65536):
                with self._changed:
                    self.text += data.decode("utf-8", "replace")
                    self._changed.notify_all()
        except OSError:
            pass
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


@contextmanager
def on_terminal(text: str, folder: Path) -> Iterator[Terminal]:
    """Run commands on a terminal of its own, 200 columns wide, and end them as Ctrl-C does."""
    ours, its = pty.openpty()
    words, environ = ["bash", "-e", "-c", text], terminal_of_a_newcomer()
    process = subprocess.Popen(
        words, cwd=folder, env=environ, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    try:
        yield Terminal(ours)
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            os.close(ours)


@pytest.mark.alone
def test_a_newcomer_sees_a_removed_address(clone: Path) -> None:
    """In a clone with nothing made in it the README's commands lead to a page that shows an address and its rule."""
    needs("make", "it runs what the README says")
    # A clone, its folder, and opening the address are commands too where the README counts them.
    assert len(commands()) < MAX_COMMANDS
    with on_terminal("\n".join(commands()), clone) as terminal, browser(width=1280, height=800) as chrome:
        page = Page(chrome, terminal.address())
        assert (clone / ".venv" / "bin" / "otel-posthog").exists()
        chrome.get(page.url)
        # Its app has sent all that it had by then.
        page.until(lambda: page.text(".connection") in {"Live", "Ended"}, DEMO_TIMEOUT_S)
        page.until(lambda: page.all("#filter-event option[value=ticket_created]"), DEMO_TIMEOUT_S)
        page.one("#filter-event option[value=ticket_created]").click()
        page.open_row("ticket_created")
        before, after, mark = page.pairs()["customer_email"]
        assert re.fullmatch(r"[\w.+-]+@[\w.-]+", before)
        assert after.startswith("removed\nthe key is a sensitive one")
        assert mark == "removed"
