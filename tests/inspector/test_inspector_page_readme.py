"""From a fresh clone to a removed e-mail address in the inspector, by the README alone, in at most four commands."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chromium import browser
from inspector_page import Page
from needs import needs

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+")
MAX_COMMANDS, START_TIMEOUT_S, STOP_TIMEOUT_S = 4, 90, 30


def commands() -> list[str]:
    """Return the commands of README's first block, up to the one that starts the demo."""
    block = re.search(r"```\w*\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block
    found = [line.partition("#")[0].strip() for line in block[1].splitlines()]
    return found[: found.index("make demo") + 1]


class Terminal:
    """What a program prints on a terminal, as it comes."""

    def __init__(self, end: int) -> None:
        self.text = ""
        self._end, self._changed = end, threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def address(self) -> str:
        """Wait for an address that leads to an inspector, and return it."""
        with self._changed:
            self._changed.wait_for(lambda: ADDRESS.search(self.text), START_TIMEOUT_S)
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


@contextmanager
def on_terminal(*words: str) -> Iterator[Terminal]:
    """Run a program on a terminal of its own, 200 columns wide, and end it as Ctrl-C does."""
    ours, its = pty.openpty()
    # Also where a `make` runs this test: what that one was told is not for the one of the README.
    told = ("ARGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
    environ = {name: value for name, value in os.environ.items() if name not in told}
    environ |= {"TERM": "xterm", "COLUMNS": "200", "LINES": "60"}
    process = subprocess.Popen(words, cwd=ROOT, stdin=its, stdout=its, stderr=its, env=environ, start_new_session=True)
    os.close(its)
    try:
        yield Terminal(ours)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            os.close(ours)


def test_a_newcomer_sees_a_removed_address() -> None:
    """`make demo` on a terminal prints an address; its page shows an e-mail address and the rule that removed it."""
    make = needs("make", "it runs what the README says")
    # A clone, its folder, and opening the address are commands too where the README counts them.
    assert len(commands()) < MAX_COMMANDS
    venv = Path(sys.prefix)
    # The environment that runs this test is the one that the first `make` would make.
    words = (make, "--no-print-directory", f"VENV={venv}", f"--old-file={venv}/.ready", *commands()[-1].split()[1:])
    with on_terminal(*words) as terminal, browser(width=1280, height=800) as chrome:
        page = Page(chrome, terminal.address())
        chrome.get(page.url)
        page.until(lambda: page.text(".connection") == "Live")
        page.until(lambda: page.all("#filter-event option[value=ticket_created]"), START_TIMEOUT_S)
        page.one("#filter-event option[value=ticket_created]").click()
        page.open_row("ticket_created")
        before, after, mark = page.pairs()["customer_email"]
        assert re.fullmatch(r"[\w.+-]+@[\w.-]+", before)
        assert after.startswith("removed\nthe key is a sensitive one")
        assert mark == "removed"
