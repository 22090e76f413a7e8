"""Runs a program under the real `opentelemetry-instrument`, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 120
SUPPORT = Path(__file__).parent
# What else is installed for other tests, and takes longer to load than all the rest.
NOT_NEEDED = "asgi,celery,dbapi,django,fastapi,httpx,pymongo,requests,starlette,urllib3"
EVENTS_PER_ORDER = 4  # the span, its span event, the log-based event and the marked log line
SPANS_PER_ORDER = 2


@dataclass(frozen=True)
class Run:
    """What a program did.

    Attributes:
        returncode: Its exit status.
        out: Its standard output and error, joined.
        seconds: From start to exit.
    """

    returncode: int
    out: str
    seconds: float

    @property
    def said(self) -> str:
        """What came until the program was done; OpenTelemetry's own exit is noisy on Python 3.12 and later."""
        return self.out.partition("\ndone\n")[0] if not self.out.startswith("done\n") else ""

    @property
    def has_traceback_of_ours(self) -> bool:
        """Whether any traceback leads through this package."""
        return "otel_posthog/" in self.out


def instrumented(*program: str, otlp: str, posthog: str | None = None, needed: str = "", **environ: str) -> Run:
    """Run `python <program>` under `opentelemetry-instrument`, with the instrumentations of web frameworks left out.

    Args:
        program: Path and arguments.
        otlp: The OTLP/HTTP endpoint.
        posthog: The PostHog host; a key is set with it.
        needed: Instrumentations that are left in all the same, between commas.
        environ: Further variables.
    """
    variables = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRIC_EXPORT_INTERVAL": "60000",
        "OTEL_SERVICE_NAME": "shop",
        **({"POSTHOG_HOST": posthog, "POSTHOG_API_KEY": "phc_test"} if posthog else {}),
        **environ,
    }
    disabled = variables.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")
    left_out = ",".join(name for name in NOT_NEEDED.split(",") if name not in needed.split(","))
    variables["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = f"{disabled},{left_out}" if disabled else left_out
    command = [str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable, *program]
    started = time.monotonic()
    done = subprocess.run(
        command,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Run(done.returncode, done.stdout, time.monotonic() - started)


def shop(orders: int = 3, *, otlp: str, posthog: str | None = None, **environ: str) -> Run:
    """Run the shop and require that it ran to its end, whatever telemetry did."""
    run = instrumented(str(SUPPORT / "shop.py"), str(orders), otlp=otlp, posthog=posthog, **environ)
    assert run.returncode == 0, run.out
    assert "done" in run.out.splitlines(), run.out
    return run
