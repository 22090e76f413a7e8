"""What is found of the process that an app would be: versions, the integration, frameworks."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.setup.frameworks import uninstrumented
from otel_posthog.switches import is_disabled, is_disabled_in_file

OLDEST_SDK = (1, 41)
LAUNCHER = "opentelemetry-instrument"

_WRONG, _NOTE, _OK = Level.WRONG, Level.NOTE, Level.OK
VERSIONS = Kind(
    "versions", Group.PROCESS, _OK, "otel-posthog {package}, opentelemetry-sdk {sdk}, Python {python}"
)  # fmt: skip
OLD_SDK = Kind(
    "sdk_too_old", Group.PROCESS, _WRONG, VERSIONS.says + ": this SDK is too old",
    'pip install "opentelemetry-sdk>={oldest}"', Gravity.LEAKS, Symptom.NOTHING,
)  # fmt: skip
NO_SDK = Kind(
    "sdk_missing", Group.PROCESS, _WRONG, "opentelemetry-sdk is not installed",
    'pip install "opentelemetry-sdk>={oldest}"', Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
MIXED = Kind(
    "versions_mixed", Group.PROCESS, _WRONG,
    "opentelemetry-api {api} and opentelemetry-sdk {sdk} are not of one release, which is not supported",
    'pip install "opentelemetry-api=={sdk}", or the SDK in the version of the API', Gravity.SOME_MISSING,
    Symptom.NOTHING,
)  # fmt: skip
DISABLED = Kind(
    "zero_code_disabled", Group.PROCESS, _NOTE,
    "zero-code set-up is switched off by {by}: nothing is set up or stripped",
    "call otel_posthog.configure(), or take posthog out of that list", Gravity.LEAKS, Symptom.NOTHING,
)  # fmt: skip
NO_ENTRY_POINTS = Kind(
    "entry_points_missing", Group.PROCESS, _WRONG, "the package's entry points are missing", "install it with pip",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
NO_LAUNCHER = Kind(
    "launcher_missing", Group.PROCESS, _NOTE, "opentelemetry-instrument is not installed",
    'pip install "otel-posthog[auto]", or call otel_posthog.configure()', Gravity.NOTHING_STARTS,
    Symptom.NOTHING,
)  # fmt: skip
READY = Kind("integration", Group.PROCESS, _OK, "opentelemetry-instrument python app.py sets everything up")
NOT_INSTRUMENTED = Kind(
    "framework_not_instrumented", Group.PROCESS, _NOTE, "{says}", "{fix}", Gravity.SOME_MISSING,
    Symptom.SOME,
    "Flask is installed, its instrumentation is not: a request gets no span, and analytics.* set on the "
    "current one is lost",
)  # fmt: skip
EXPORTER_NAMED = Kind(
    "posthog_exporter_named", Group.PROCESS, _NOTE,
    "{variable} names `posthog`, which has nothing to do beside zero-code set-up",
    "take `posthog` out of that list", Gravity.TO_KNOW, Symptom.SOME,
)  # fmt: skip
KINDS = (
    EXPORTER_NAMED, VERSIONS, OLD_SDK, NO_SDK, MIXED, DISABLED, NO_ENTRY_POINTS, NO_LAUNCHER, READY, NOT_INSTRUMENTED,
)  # fmt: skip


def of_process(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of versions, the integration and frameworks, whatever the settings are."""
    yield from _versions()
    yield _integration(environ)
    if not is_disabled("posthog", environ):
        for variable in ("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"):
            if "posthog" in {each.strip() for each in environ.get(variable, "").split(",")}:
                yield EXPORTER_NAMED.found("exporters", variable=variable)
    yield from (NOT_INSTRUMENTED.found(each.label, says=each.says, fix=each.fix) for each in uninstrumented(environ))


def _versions() -> Iterator[Finding]:
    about, oldest = "versions", ".".join(map(str, OLDEST_SDK))
    api, sdk = _version("opentelemetry-api"), _version("opentelemetry-sdk")
    if not sdk:
        yield NO_SDK.found(about, oldest=oldest)
        return
    words = {"package": _version("otel-posthog"), "sdk": sdk, "python": platform.python_version()}
    is_old = tuple(int(part) for part in sdk.split(".")[:2] if part.isdigit()) < OLDEST_SDK
    yield (OLD_SDK if is_old else VERSIONS).found(about, **words, oldest=oldest)
    if api.split(".")[:2] != sdk.split(".")[:2]:
        yield MIXED.found(about, api=api or "(none)", sdk=sdk)


def _integration(environ: Mapping[str, str]) -> Finding:
    about = "integration"
    if is_disabled("posthog", environ):
        return DISABLED.found(about, by=env.DISABLED_INSTRUMENTATIONS)
    if is_disabled_in_file("posthog", environ.get(env.CONFIG_FILE, "")):
        return DISABLED.found(about, by=env.CONFIG_FILE)
    if not any(each.name == "posthog" for each in entry_points(group="opentelemetry_pre_instrument")):
        return NO_ENTRY_POINTS.found(about)
    if not launcher():
        return NO_LAUNCHER.found(about)
    return READY.found(about)


def launcher() -> str:
    """Return the path of `opentelemetry-instrument`; empty where it is not installed."""
    # Beside this interpreter first: that is the one the app of this environment is started with.
    beside = Path(sys.executable).with_name(LAUNCHER)
    return str(beside) if beside.exists() else shutil.which(LAUNCHER) or ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
