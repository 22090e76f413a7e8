"""An inspector does not outlive the terminal on which it was started."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest
from inspecting import COMMAND


@pytest.mark.parametrize("how", ["signal", "closed", "closed, signal ignored"])
def test_it_ends_with_its_terminal(how: str, tmp_path: Path) -> None:
    """By the signal that a terminal's end is, and where that does not reach it, since its output leads nowhere."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps({"event": "paid"}))
    # The suite itself may run where the signal is ignored, as under nohup.
    heed = signal.SIG_IGN if "ignored" in how else signal.SIG_DFL
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "inspect", "--no-browser", str(file)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, heed),  # noqa: PLW1509
    )
    os.close(theirs)
    try:
        text = b""
        while b"Stop with Ctrl-C" not in text:
            text += os.read(ours, 65536)
        time.sleep(0.2)
        if how == "signal":
            process.send_signal(signal.SIGHUP)
            assert process.wait(60) == 0
        os.close(ours)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
