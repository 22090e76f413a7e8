"""One run: a server, the program, and the process that adopts what the program left."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.faults.driver import Load
from benchmarks.faults.ledger import Ledger, Tally, balance
from otel_posthog.testing import FakePostHog

# After the program has ended: an adopter sleeps 30 s between two looks, and the machine may be slow.
PATIENCE_S = 60.0
END_TIMEOUT_S = 300.0


@dataclass(slots=True)
class Stage:
    """The means of a scenario: server, program, files.

    Attributes:
        server: PostHog.
        load: What the program does; a scenario may change it before the start.
        folder: Of this run: spool, state, counts.
        dice: For instants.
        program: The running program.
        notes: What there is to say about the run.
    """

    server: FakePostHog
    load: Load
    folder: Path
    dice: random.Random
    program: subprocess.Popen[str] | None = None
    notes: list[str] = field(default_factory=list)

    def tally(self) -> Tally:
        """Return the counts of the run's processes."""
        return Tally(Path(self.load.tally), self.load.events)

    def start(self, **changes: object) -> None:
        """Start the program and return when it begins to emit."""
        self.load = replace(self.load, **changes)  # type: ignore[arg-type]
        self.tally()
        self.program = _python("benchmarks.faults.driver", self.load.to_json(), folder=self.folder)
        self._read("ready")

    def emitted(self) -> tuple[int, ...]:
        """Return how many events each process has emitted by now."""
        return self.tally().counts()

    def wait_emitted(self, share: float) -> None:
        """Wait until the program has emitted this share of its events."""
        while self.emitted()[0] < share * self.load.events and self._running().poll() is None:
            time.sleep(0.002)

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._running().poll() is None

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._running().pid

    def adopt_all(self) -> None:
        """Let a second process deliver what is left, and wait until it has nothing more to do."""
        with _adopting(self.load, self.folder):
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline and not _is_empty(self.folder):
                time.sleep(0.2)

    def kill(self, signal_number: int) -> None:
        """End the program from outside."""
        self._running().send_signal(signal_number)

    def end(self) -> None:
        """Wait until the program has ended."""
        out, _ = self._running().communicate(timeout=END_TIMEOUT_S)
        self.notes += [line for line in out.splitlines() if line.startswith("shutdown")]

    def adopt(self) -> Ledger:
        """Let a second process deliver what is left; return the balance."""
        tally = self.tally()
        with _adopting(self.load, self.folder):
            best, best_at = -1, time.monotonic()
            while time.monotonic() - best_at < PATIENCE_S:
                ledger = balance(tally, tuple(self.server.events))
                if not ledger.lost:
                    break
                if ledger.arrived > best:
                    best, best_at = ledger.arrived, time.monotonic()
                elif _is_empty(self.folder):
                    break
                time.sleep(0.2)
        return balance(tally, tuple(self.server.events))

    def _running(self) -> subprocess.Popen[str]:
        if self.program is None:
            raise RuntimeError("the program has not been started")
        return self.program

    def _read(self, expected: str) -> None:
        out = self._running().stdout
        line = out.readline().strip() if out else ""
        if line != expected:
            raise RuntimeError(f"the program said {line!r} instead of {expected!r}")


def _python(module: str, *arguments: str, folder: Path) -> subprocess.Popen[str]:
    """Start a Python program of ours with a spool and a state of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "POSTHOG_"))}
    environ = {
        **kept,
        "OTEL_POSTHOG_SPOOL_DIR": str(folder / "spool"),
        "OTEL_POSTHOG_STATE_DIR": str(folder / "state"),
        "INSTANCE_ID": "faults",
    }
    command: Sequence[str] = (sys.executable, "-W", "ignore", "-m", module, *arguments)
    return subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


@contextmanager
def _adopting(load: Load, folder: Path) -> Iterator[None]:
    process = _python("benchmarks.faults.driver", "adopt", load.host, folder=folder)
    try:
        yield
    finally:
        process.communicate("\n", timeout=END_TIMEOUT_S)


def _is_empty(folder: Path) -> bool:
    """Return whether nothing is left in the spool that could still be delivered."""
    return not any(each.is_file() and each.stat().st_size for each in (folder / "spool").glob("**/*.seg*"))
