"""The benchmark `fuzz_gateway`: malformed OTLP against a running gateway, for as long as it is told to.

A few threads send. A promise is broken by a status that is none of the documented ones, by no answer in time, by a
process that ends or writes a traceback, and by memory that grows.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path

from benchmarks.fuzz_gateway.requests import Malformed, made
from benchmarks.gateway_load import environ_of, free_port, gateway_command, process, wait_until_ready
from benchmarks.report import Result, Say

NAME = "fuzz_gateway"
ON_DEMAND = True
"""Only run where it is asked for."""

THREADS = 4
ALLOWED = frozenset({200, 400, 404, 405, 408, 413, 415, 503})
ANSWER_S = 30.0
# How much the memory of an interpreter changes by itself, once everything has been used.
GROWTH_MIB = 60.0
_WARM_SHARE = 0.1
# Most clients read what they are answered; one that goes away instead leaves a few kilobytes behind for five seconds.
_UNREAD_EVERY = 20


@dataclass(slots=True)
class Seen:
    """What came of it.

    Attributes:
        statuses: How often each was answered.
        findings: What broke a promise, with the seed.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add this benchmark's arguments to `group`."""
    group.add_argument("--fuzz-seconds", type=float, default=600.0, metavar="S", help="how long at most (default: 600)")
    group.add_argument("--fuzz-requests", type=int, metavar="N", help="how many at most (default: as time allows)")


def run(parsed: argparse.Namespace, say: Say) -> Result:
    """Fuzz a gateway and return what was found."""
    seen, port = Seen(), free_port()
    say(f"fuzz_gateway: {parsed.fuzz_seconds:g} s at most")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        command = [*gateway_command(port, 1), "--body-timeout", "1", "--max-inflated-bytes", "2000000"]
        with log.open("wb") as file, process(command, environ_of(free_port(), folder), file) as gateway:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz")
            start = time.monotonic()
            before_mib, after_mib = _watched(parsed, port, gateway, seen)
            seconds = time.monotonic() - start
        if b"Traceback" in log.read_bytes():
            seen.findings.append("a traceback in its log")
    if after_mib - before_mib > GROWTH_MIB:
        seen.findings.append(f"memory grew from {before_mib:.0f} to {after_mib:.0f} MiB")
    requests = seen.statuses.total()
    answered = ", ".join(f"{status}: {number}" for status, number in sorted(seen.statuses.items()))
    memory = f"{before_mib:.0f} MiB after a tenth of it, {after_mib:.0f} at the end"
    lines = [
        f"{requests} requests in {seconds:.0f} s: {len(seen.findings)} findings; memory {memory}",
        f"answered {answered}",
        *seen.findings[:20],
    ]
    figures = {"requests": requests, "findings": len(seen.findings), "memory_mib": [before_mib, after_mib]}
    return Result("\n".join(lines), figures)


def _watched(
    parsed: argparse.Namespace, port: int, gateway: subprocess.Popen[bytes], seen: Seen
) -> tuple[float, float]:
    """Send until time or requests are used up; return the gateway's memory in MiB after a tenth, and at the end."""
    numbers, until, memory = count(), time.monotonic() + parsed.fuzz_seconds, list[float]()
    most, warm_from = parsed.fuzz_requests or 10**9, time.monotonic() + parsed.fuzz_seconds * _WARM_SHARE

    def work() -> None:
        for seed in numbers:
            if seed >= most or time.monotonic() >= until or gateway.poll() is not None:
                return
            if not memory and (time.monotonic() >= warm_from or seed >= most * _WARM_SHARE):
                memory.append(_memory_mib(gateway.pid))
            _send(made(seed), port, seed, seen)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if gateway.poll() is not None:
        seen.findings.append(f"it ended with {gateway.returncode}")
        return 0.0, 0.0
    return memory[0] if memory else 0.0, _memory_mib(gateway.pid)


def _send(request: Malformed, port: int, seed: int, seen: Seen) -> None:
    if request.is_slow:
        _stall(port)
        return
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    headers = {"Content-Type": request.media_type, "Content-Encoding": request.encoding}
    try:
        connection.request("POST", request.path, request.body, {key: value for key, value in headers.items() if value})
        answer = connection.getresponse()
        status = answer.status
        if seed % _UNREAD_EVERY:
            answer.read()
    except (OSError, HTTPException) as error:
        seen.findings.append(f"seed {seed}: no answer ({type(error).__name__})")
        return
    finally:
        connection.close()
    seen.statuses[status] += 1
    if status not in ALLOWED:
        seen.findings.append(f"seed {seed}: {status}")


def _stall(port: int) -> None:
    """Send half of a request, and go away before or after the gateway has given it up."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), ANSWER_S) as connection:
        connection.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        connection.settimeout(0.5)
        connection.recv(100)


def _memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
