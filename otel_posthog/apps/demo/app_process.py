"""The helpdesk in a process of its own, under the real `opentelemetry-instrument`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import final

READY = re.compile(r"^Helpdesk is listening on (http://\S+)$", re.MULTILINE)
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
POLL_INTERVAL_S = 0.05
TAIL_LINES = 20


class AppError(Exception):
    """The app did not start, or did not end as it should; the message says what it said last."""


@final
class AppProcess:
    """A running helpdesk; as a context manager it ends at the latest on exit.

    Attributes:
        url: Where it listens.
        log_path: What it wrote to standard output and error.
        stop_s: How long it took to stop, once it has.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.url = ""
        self.log_path = folder / "helpdesk.log"
        self.stop_s = 0.0
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> AppProcess:
        """Start it and wait until it listens."""
        command = [_instrument(), sys.executable, "-m", "helpdesk", "--port", "0"]
        command += ["--database", str(self._folder / "helpdesk.db")]
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self.url = self._wait_until_ready(self._process)
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it, the hard way if need be."""
        self._kill()

    def stop(self) -> None:
        """Ask it to end, and wait until it has flushed what it holds."""
        if self._process is None:
            return
        started_s = time.monotonic()
        self._process.terminate()
        try:
            code = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise AppError(
                f"the helpdesk was still running {STOP_TIMEOUT_S:.0f} s after SIGTERM\n{self._tail()}"
            ) from None
        self.stop_s = time.monotonic() - started_s
        if code:
            raise AppError(f"the helpdesk ended with exit status {code}\n{self._tail()}")

    def log_line(self, part: str) -> str:
        """Return the first line of the app's own log with `part` in it, from there on; empty if there is none."""
        lines = self.log_path.read_text(errors="replace").splitlines()
        return next((line[line.index(part) :] for line in lines if part in line), "")

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> str:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            ready = READY.search(self.log_path.read_text(errors="replace"))
            if ready:
                return ready[1]
            if process.poll() is not None:
                raise AppError(f"the helpdesk ended with exit status {process.returncode} at its start\n{self._tail()}")
            time.sleep(POLL_INTERVAL_S)
        raise AppError(f"the helpdesk was not ready after {START_TIMEOUT_S:.0f} s\n{self._tail()}")

    def _tail(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"  | {line}" for line in lines) or "  | (it printed nothing)"

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _instrument() -> str:
    """Return the path of `opentelemetry-instrument` of this very environment."""
    found = shutil.which("opentelemetry-instrument", path=sysconfig.get_path("scripts"))
    found = found or shutil.which("opentelemetry-instrument")
    if not found:
        raise AppError("opentelemetry-instrument is not installed; pip install opentelemetry-distro")
    return found
