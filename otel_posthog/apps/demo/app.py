"""The helpdesk as a process of its own, under the real `opentelemetry-instrument`: its place, environment, life.

The environment is the user's, less what would disturb the demo, plus the demo's set-up. The control, which shows what
the filters keep back, runs the app as if this package were not installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType
from typing import final
from urllib.parse import quote, urlsplit

import otel_posthog
from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.model import OTLP_ENDPOINT, OTLP_PROTOCOL, Options
from otel_posthog.apps.demo.planted import owner
from otel_posthog.errors import ConfigurationError
from otel_posthog.setup.settings import read_settings

READY = re.compile(r"^Helpdesk is listening on (http://\S+)$", re.MULTILINE)
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
POLL_INTERVAL_S = 0.05
TAIL_LINES = 20
GRPC_PORT = 4317
SWITCHES = (env.USAGE_STATS, env.DO_NOT_TRACK, env.ANALYTICS_ANONYMIZE_USER_IDS, env.INSTANCE_ID)
"""Switches of collection without a prefix of ours; obeyed when the events go to the user's own project."""

FIXED = {
    "OTEL_SERVICE_NAME": "helpdesk",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    # Short waits, so that a watcher sees telemetry as it happens.
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    # Long: metrics that the SDK exports of itself before any hook is called are not redacted, and where nothing is
    # compiled yet a hook is called seconds after the metric reader has begun to count. The rest goes at the end.
    "OTEL_METRIC_EXPORT_INTERVAL": "10000",
    # Old and new names of HTTP and database attributes: twice as many places for personal data to hide in.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http/dup,database/dup",
    # As teams do to see which integration called; it is how tokens get into traces.
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "authorization,user-agent",
    # The SDK's count of all spans started tells how many the sampler left out.
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true",
    "PYTHONUNBUFFERED": "1",
}
PACKAGE = Path(otel_posthog.__file__).resolve().parent
APP = "helpdesk"
PACKAGE_NAME = "otel_posthog"
INSTRUMENTORS_GROUP = "opentelemetry_instrumentor"
LOADED_GROUPS = ("opentelemetry_pre_instrument", "opentelemetry_environment_variables")


class AppError(Exception):
    """The app did not start, or did not end as it should; the message ends with its last lines."""


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
        """Kill it if it still runs."""
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
        """Return the first line of the app's own log that has `part`, from `part` on; empty if there is none."""
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


def app_environment(options: Options, folder: Path, python_path: Path) -> dict[str, str]:
    """Return the app's environment, without destinations that the demo embeds.

    Args:
        options: The run.
        folder: Takes the state that the app keeps.
        python_path: The folder that holds the helpdesk.
    """
    return {
        **_kept(options),
        **FIXED,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(python_path), options.environ.get("PYTHONPATH")))),
        "OTEL_TRACES_SAMPLER": options.sampler,
        "OTEL_TRACES_SAMPLER_ARG": str(options.sampling),
        "OTEL_RESOURCE_ATTRIBUTES": f"service.version=1.0,service.owner={quote(owner(options.seed).value, safe='')}",
        env.OTEL_POSTHOG_STATE_DIR: str(folder),
        # What waits in the user's own spool is not the demo's to deliver.
        env.OTEL_POSTHOG_SPOOL_DIR: str(folder / "spool"),
    }


def refuse_others(environment: Mapping[str, str], host: str) -> None:
    """Refuse a policy of the user's that would send made-up events to more than the embedded PostHog.

    Raises:
        ConfigurationError: It would, or the policy cannot be read.
    """
    settings = read_settings(environment)
    others = [each.name for each in settings.policy.destinations if each.api_key and each.host != host]
    if others and settings.collection.enabled:
        raise ConfigurationError(
            f"{settings.policy.source} names destinations with keys of their own ({', '.join(others)}): what is made "
            "up here would be sent there; take their keys out for this, or give --live"
        )


def _kept(options: Options) -> dict[str, str]:
    """Return the user's variables without those of OpenTelemetry and PostHog; those of `--live` destinations stay.

    Ours stay: who has a policy of their own wants to see what it does.
    """
    kept = {name: value for name, value in options.environ.items() if not name.startswith(("OTEL_", "POSTHOG_"))}
    kept |= _beginning(options, "OTEL_POSTHOG_")
    if options.own_posthog:
        kept |= _beginning(options, "POSTHOG_")
    else:
        kept = {name: value for name, value in kept.items() if name not in SWITCHES}
    if options.own_otlp:
        kept |= {
            OTLP_PROTOCOL: _usual_protocol(options.environ[OTLP_ENDPOINT]),
            **_beginning(options, "OTEL_EXPORTER_OTLP_"),
        }
    return kept


def _usual_protocol(endpoint: str) -> str:
    """Return the protocol of `endpoint` where the user names none: gRPC on its registered port, else HTTP.

    The distribution's own default is gRPC everywhere, which at an HTTP endpoint loses everything without a word. The
    ports are those of https://opentelemetry.io/docs/specs/otlp/.
    """
    try:
        return "grpc" if urlsplit(endpoint).port == GRPC_PORT else "http/protobuf"
    except ValueError:  # no number: the exporter says so in its own words
        return "http/protobuf"


def _beginning(options: Options, prefix: str) -> dict[str, str]:
    return {name: value for name, value in options.environ.items() if name.startswith(prefix)}


def helpdesk_parent(folder: Path, package: Path = PACKAGE) -> Path:
    """Return a folder that holds the `helpdesk` package and nothing else that can be imported by mistake.

    Args:
        folder: Takes a copy of the packaged one, whose neighbours are modules of the demo.
        package: The folder of `otel_posthog`.

    Raises:
        FileNotFoundError: It is in neither place.
    """
    checkout, packaged = package.parent / "examples", package / "apps" / "demo"
    if _holds_app(checkout):
        return checkout
    if not _holds_app(packaged):
        raise FileNotFoundError("the helpdesk is neither next to otel-posthog nor in it; reinstall otel-posthog")
    shutil.copytree(packaged / APP, folder / "app" / APP)
    return folder / "app"


def _holds_app(parent: Path) -> bool:
    return (parent / APP / "__main__.py").is_file()


def hide_package(folder: Path, environment: dict[str, str]) -> None:
    """Change `environment` so that an app under `opentelemetry-instrument` runs without us; files go into `folder`."""
    parent = folder / "without"
    for group in LOADED_GROUPS:
        for entry_point in entry_points(group=group):
            if entry_point.module.partition(".")[0] == PACKAGE_NAME:
                _write_module(parent, entry_point.module, entry_point.attr)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(parent), environment.get("PYTHONPATH"))))
    ours = sorted(each.name for each in entry_points(group=INSTRUMENTORS_GROUP) if each.name.startswith("posthog"))
    environment["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = ",".join(ours)


def _write_module(parent: Path, name: str, function: str) -> None:
    *packages, module = name.split(".")
    folder = parent
    for package in packages:
        folder /= package
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    (folder / f"{module}.py").write_text(f"def {function}() -> None:\n    pass\n" if function else "")
