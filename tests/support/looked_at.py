"""An app that is looked at: a program of its own that emits what it is told to, line by line, on standard input.

Each line is a JSON object: `span`, `log` or `capture` with a name and `attributes`; `fork`, `opt` and `end`. It
answers each with a line.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen
from types import TracebackType
from typing import Any

from typing_extensions import Self

SERVICE = "shop"


class Inspected:
    """The program as a process.

    Args:
        folder: Its state.
        environ: What it has in its environment besides.
    """

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        # The installation's own spool, state and host; nothing goes anywhere.
        self.environ = {
            **os.environ,
            "POSTHOG_API_KEY": "phc_test",
            "POSTHOG_HOST": "http://127.0.0.1:9",
            "OTEL_POSTHOG_STATE_DIR": str(folder / "state"),
            "OTEL_POSTHOG_ENABLED": "preview",
            "OTEL_SERVICE_NAME": SERVICE,
            "OTEL_POSTHOG_INSPECT": "1",
            **environ,
        }
        self.sockets = folder / "state" / "inspect"

    def __enter__(self) -> Self:
        self.process = Popen(
            [sys.executable, __file__], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, env=self.environ
        )
        self._line()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def do(self, what: str, name: str = "", attributes: Mapping[str, object] | None = None, **more: Any) -> Any:
        """Have it do something and return what it answers."""
        self.tell(what, name, attributes, **more)
        return self._line()

    def tell(self, what: str, name: str = "", attributes: Mapping[str, object] | None = None, **more: Any) -> None:
        """Have it do something."""
        assert self.process.stdin is not None
        said = {"do": what, "name": name, "attributes": attributes or {}, **more}
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """End it well and return what it wrote on standard error."""
        _, said = self.process.communicate(json.dumps({"do": "end"}) + "\n", timeout=30)
        assert self.process.returncode == 0, said
        return said

    def socket(self) -> Path:
        """Return its socket, once it is there."""
        return until_there(self.sockets, 1)[0]

    def _line(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return json.loads(line)


def until_there(folder: Path, count: int) -> list[Path]:
    """Return the sockets in a folder, once there are so many."""
    deadline = time.monotonic() + 20
    while len(found := sorted(folder.glob("[0-9]*.sock"))) != count:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def messages(path: Path, timeout_s: float = 20) -> Iterator[dict[str, Any]]:
    """Yield what an app says on its socket."""
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(timeout_s)
        # A socket's path may have some hundred characters; those of tests are longer where they run side by side.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        with connection.makefile("rb") as lines:
            yield from map(json.loads, lines)


def items(path: Path, count: int) -> list[dict[str, Any]]:
    """Return the next items that an app shows."""
    found = []
    for each in messages(path):
        if each["type"] == "item":
            found.append(each)
            if len(found) == count:
                break
    return found


def main() -> None:
    """Be the program."""
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry._logs import set_logger_provider  # noqa: PLC0415
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    import otel_posthog  # noqa: PLC0415

    trace.set_tracer_provider(TracerProvider())
    set_logger_provider(LoggerProvider())
    otel_posthog.configure()
    program = _Program()
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        said = json.loads(line)
        if said["do"] == "end":
            return
        answer = getattr(program, said.pop("do"))(**said)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class _Program:
    """What it can do."""

    def span(
        self,
        name: str,
        attributes: dict[str, Any],
        events: list[dict[str, Any]] | None = None,
        times: int = 1,
        **_: Any,
    ) -> None:
        """Make spans."""
        from opentelemetry import trace  # noqa: PLC0415

        for _number in range(times):
            with trace.get_tracer("shop").start_as_current_span(
                name, attributes=attributes, kind=trace.SpanKind.SERVER
            ) as span:
                for each in events or ():
                    span.add_event(**each)

    def log(self, name: str, attributes: dict[str, Any], body: Any = None, **_: Any) -> None:
        """Emit a log record."""
        from opentelemetry._logs import get_logger  # noqa: PLC0415

        get_logger("shop").emit(event_name=name or None, attributes=attributes, body=body, timestamp=time.time_ns())

    def capture(self, name: str, attributes: dict[str, Any], times: int = 1, **more: Any) -> None:
        """Call `capture`."""
        import otel_posthog  # noqa: PLC0415

        for _ in range(times):
            otel_posthog.capture(name, attributes, **more)

    def choose(self, name: str, **_: Any) -> None:
        """Opt out, or in again."""
        import otel_posthog  # noqa: PLC0415

        otel_posthog.set_collection(name == "in")

    def fork(self, name: str, **_: Any) -> int:
        """Fork a child that captures an event and lives until it is killed; return its process id."""
        pid = os.fork()
        if not pid:
            self.capture(name, {})
            while True:
                time.sleep(1)
        return pid

    def threads(self, **_: Any) -> list[str]:
        """Return the names of the threads."""
        import threading  # noqa: PLC0415

        return sorted(each.name for each in threading.enumerate())

    def memory(self, **_: Any) -> int:
        """Return how many bytes of memory it takes."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def modules(self, **_: Any) -> list[str]:
        """Return what of the inspector is imported."""
        return sorted(each for each in sys.modules if each.startswith(("otel_posthog.inspection", "otel_posthog.apps")))


if __name__ == "__main__":
    main()
