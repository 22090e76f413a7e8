"""Runs programs of several processes, and looks at what is left of them: every one has a session of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from instrumented import NOT_NEEDED

TIMEOUT_S = 120
PROGRAMS = Path(__file__).parents[1] / "setups" / "programs"


def environment(*, otlp: str, posthog: str | None, **environ: str) -> dict[str, str]:
    """Return the environment of a program that sends to these two; the database and queue libraries are left out.

    Args:
        otlp: The OTLP/HTTP endpoint.
        posthog: The PostHog host; a key is set with it.
        environ: Further variables.
    """
    return {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRIC_EXPORT_INTERVAL": "60000",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        "OTEL_SERVICE_NAME": "setups",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": NOT_NEEDED,
        "PYTHONPATH": os.pathsep.join([str(PROGRAMS), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
        **({"POSTHOG_HOST": posthog, "POSTHOG_API_KEY": "phc_test"} if posthog else {}),
        **environ,
    }


def command(name: str) -> str:
    """Return the path of a command that is installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


class Tree:
    """A running program and all that it started.

    Args:
        process: The first of them, which leads a session.
        log: Where all of them write.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    @property
    def out(self) -> str:
        """What they wrote so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def pids(self) -> dict[int, str]:
        """The ids of the session's processes and their states (`Z` is a zombie)."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, _, rest = stat.read_text().partition(" ")
            except OSError:
                continue
            state, _, _, session, *_ = rest.rpartition(") ")[2].split()
            if int(session) == self.process.pid:
                found[int(pid)] = state
        return found

    def wait_for(self, pattern: str, count: int = 1) -> list[str]:
        """Return what `pattern` captures in the output, once there are `count` hits.

        Raises:
            AssertionError: There were not, in time; with the output.
        """
        return self._until(lambda: found if len(found := re.findall(pattern, self.out)) >= count else None, pattern)

    def wait_until_alone(self) -> None:
        """Wait until no process of the session is left.

        Raises:
            AssertionError: One is.
        """
        self._until(lambda: not self.pids or None, "the end of every process")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the first process and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)

    def _until(self, answer: Callable[[], object], what: str) -> list[str]:
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            found = answer()
            if found is not None:
                return found if isinstance(found, list) else []
            time.sleep(0.05)
        raise AssertionError(f"{what} did not come; {self.pids}; {self.out}")


@contextmanager
def running(*words: str, environ: dict[str, str], cwd: Path | None = None) -> Iterator[Tree]:
    """Run a program and, at the end, whatever happens, end all that is left of its session.

    Args:
        words: Program and arguments.
        environ: The whole environment.
        cwd: Where it runs.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "out"
        with log.open("wb") as out:
            process = subprocess.Popen(
                words, cwd=cwd, env=environ, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
            )
        tree = Tree(process, log)
        try:
            yield tree
        finally:
            for pid in tree.pids:
                with suppress(ProcessLookupError):  # it has ended since
                    os.kill(pid, signal.SIGKILL)
            process.wait(TIMEOUT_S)
            if process.stdin is not None:
                process.stdin.close()
