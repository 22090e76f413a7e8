"""Who is compared: this package's two sides, and the filters that can be installed beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.privacy.corpus import Answer, Row
from benchmarks.privacy.operational import through_otlp
from benchmarks.result import Say
from otel_posthog.privacy.scoring import redact

RedactAll = Callable[[Sequence[Row]], "list[Answer] | None"]

HERE = Path(__file__).resolve().parent
PEERS = ("presidio", "argus-redact", "commonregex", "scrubadub", "datafog", "logfire", "posthog", "sentry-sdk")
_TIMEOUT_S = 900


def contenders(*, peers: bool, say: Say) -> dict[str, RedactAll]:
    """Return every contender by name.

    Args:
        peers: Whether others are among them; their environment is made where it is missing.
        say: Hears of peers that cannot be had.
    """
    own: dict[str, RedactAll] = {"otel-posthog": _ours, "otel-posthog, through OTLP": through_otlp}
    python = _environment(say) if peers else None
    if python is None:
        return own
    return own | {name: _peer(python, name, say) for name in PEERS}


def _ours(rows: Sequence[Row]) -> list[Answer]:
    for row in rows[:200]:
        redact(row.key, row.value)
    return [_timed(row) for row in rows]


# The least of a few: what others do on the machine is no filter's cost.
_TRIES = 5


def _timed(row: Row) -> Answer:
    times = []
    left: object = None
    for _ in range(_TRIES):
        start = time.perf_counter_ns()
        left = redact(row.key, row.value)
        times.append(time.perf_counter_ns() - start)
    return Answer(left, min(times) / 1000)


def _environment(say: Say) -> Path | None:
    """Return the interpreter of the peers' environment, made from peers.txt the first time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "otel-posthog"
    python = cache / "venv-privacy-peers" / "bin" / "python"
    ready = python.with_name("peers-ready")
    if ready.exists() and ready.read_text() == (HERE / "peers.txt").read_text():
        return python
    say("installing the peers once ...")
    try:
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(HERE / "peers.txt")]
        subprocess.run(install, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"no peers: {error}")
        return None
    ready.write_text((HERE / "peers.txt").read_text())
    return python


def _peer(python: Path, name: str, say: Say) -> RedactAll:
    def redact_all(rows: Sequence[Row]) -> list[Answer] | None:
        given = "\n".join(json.dumps([row.key, row.value]) for row in rows)
        command = [str(python), str(HERE / "peer_process.py"), name]
        try:
            done = subprocess.run(
                command, input=given, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True, cwd=HERE
            )
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{name} left out: {error} {getattr(error, 'stderr', '') or ''}"[:500])
            return None
        return [Answer(*json.loads(line)) for line in done.stdout.splitlines()]

    return redact_all
