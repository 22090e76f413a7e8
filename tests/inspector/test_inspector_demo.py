"""The demo on a terminal: the inspector looks on, and its page stays after the end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from io import StringIO

import pytest
from inspecting import COMMAND, enter
from rich.console import Console

from otel_posthog.apps.demo.inspector import is_wanted
from otel_posthog.apps.demo.model import Options


def test_on_a_terminal_the_page_stays_until_ctrl_c() -> None:
    """It prints the address after its verdict; the page has what the helpdesk sent, before the filters and after."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 120, 0, 0))
    environ = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen([COMMAND, "demo", "--requests", "40"], stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    text, deadline = "", time.monotonic() + 120
    while "Stop with Ctrl-C" not in text and time.monotonic() < deadline:
        text += os.read(ours, 65536).decode(errors="replace")
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", text)
    assert found is not None, text[-2000:]
    browser = enter(found[0])
    state = browser.until("state")[-1]
    assert state["values_shown"]
    assert state["source"]["complete"]
    assert [each["connected"] for each in state["processes"]] == [False]
    assert [each["service"] for each in state["processes"]] == ["helpdesk"]
    items = [each for each in browser.json("api/items?limit=1000")["items"] if each["events"]]
    changed = [
        (event["before"]["properties"].get(change["key"]), sent["event"]["properties"].get(change["key"]))
        for each in items
        for event in each["events"]
        for sent in event["destinations"]
        for change in sent["changes"]
        if sent["sent"] and change["rule"] != "allow_list" and change["key"] in event["before"]["properties"]
    ]
    assert changed
    assert all(before != after for before, after in changed), changed
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    os.close(ours)


@pytest.mark.parametrize(
    ("is_terminal", "is_json", "unprotected", "wanted"),
    [(True, False, False, True), (False, False, False, False), (True, True, False, False), (True, False, True, False)],
)
def test_elsewhere_there_is_none_of_it(is_terminal: bool, is_json: bool, unprotected: bool, wanted: bool) -> None:
    """Without a terminal, with `--json`, and of the app without this package, the demo is as it was."""
    console = Console(file=StringIO(), force_terminal=is_terminal, _environ={"TERM": "xterm"})
    options = Options(10, "always_on", 0.5, seed=7, keep=False, unprotected=unprotected, environ={}, live=False)
    assert is_wanted(options, console, is_json=is_json) is wanted
