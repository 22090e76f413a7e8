"""What the doctor finds of versions, the launcher and instrumentations, in environments where something is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from doctored import KEY, doctor, healthy
from left_out import Environment
from opentelemetry.sdk import environment_variables
from opentelemetry.sdk._logs import LogRecordLimits
from opentelemetry.sdk.trace import SpanLimits

from otel_posthog.apps.doctor.limits import VARIABLES as LIMITS

DOCTOR = "import sys; from otel_posthog.apps.cli import main; main(['doctor', '--json', *sys.argv[1:]])"


def distribution(environment: Environment, name: str, number: str) -> None:
    """Have `environment` say that a distribution is installed in that version."""
    folder = environment.packages / f"{name.replace('-', '_')}-{number}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n", encoding="utf-8")


def nothing(_: Environment) -> None:
    """Leave an environment as it is."""


def old_sdk(environment: Environment) -> None:
    """Another SDK, of the release before the oldest that works."""
    distribution(environment, "opentelemetry-sdk", "1.40.0")


def newer_sdk(environment: Environment) -> None:
    """An SDK of another release than the API's."""
    major, minor, *_ = version("opentelemetry-api").split(".")
    distribution(environment, "opentelemetry-sdk", f"{major}.{int(minor) + 1}.0")


def frozen(environment: Environment) -> None:
    """The package as a tool that freezes programs leaves it: with its version, without its entry points."""
    distribution(environment, "otel-posthog", "0.1.0")


def old_client(environment: Environment) -> None:
    """A posthog-python of the release before those that are held to."""
    distribution(environment, "posthog", "6.9.1")


CASES: dict[str, tuple[tuple[str, ...], Callable[[Environment], None], dict[str, str], str, str]] = {
    "sdk_too_old": (("opentelemetry_sdk",), old_sdk, {}, "1.40.0", "opentelemetry-sdk>=1.41"),
    "versions_mixed": (("opentelemetry_sdk",), newer_sdk, {}, "not of one release", "pip install"),
    "requirement_unmet": (("posthog",), old_client, {}, "posthog 6.9.1 is installed", "posthog<8,>=7"),
    "sdk_missing": (("opentelemetry_sdk",), nothing, {}, "not installed", "opentelemetry-sdk>=1.41"),
    "entry_points_missing": (("otel_posthog",), frozen, {}, "entry points", "pip"),
    "launcher_missing": ((), nothing, {"PATH": "/nowhere"}, "opentelemetry-instrument", "otel-posthog[auto]"),
    "otlp_exporter_missing": (
        ("opentelemetry_exporter_otlp_proto_grpc",), nothing, {"OTEL_TRACES_EXPORTER": "otlp"},
        "the exporter for OTLP over grpc is not installed", "opentelemetry-exporter-otlp",
    ),
    "framework_not_instrumented": (
        ("opentelemetry_instrumentation_flask",), nothing, {}, "Flask is installed, its instrumentation is not",
        "pip install opentelemetry-instrumentation-flask",
    ),
    "zero_code_disabled": (
        (), nothing, {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask,posthog"},
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "configure()",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_what_is_missing_is_found(kind: str, tmp_path: Path) -> None:
    """In an environment without it, with the command that puts it right."""
    left_out, change, environ, says, fix = CASES[kind]
    environment = Environment(tmp_path / "environment", *left_out)
    change(environment)
    out = environment.run("-c", DOCTOR, is_instrumented=False, **{"POSTHOG_API_KEY": KEY, **environ})
    found = {each["id"]: each for each in json.loads(out[out.index("[") :])}
    assert kind in found, found
    assert says in found[kind]["says"]
    assert fix in found[kind]["fix"]


PROPAGATORS = {
    "": True, "tracecontext,baggage": True, " baggage ": True, "none": True, "None,x": True, "b4": False,
    "x,none": False, "tracecontext,": False, "tracecontext;baggage": False,
}  # fmt: skip


@pytest.mark.parametrize("given", PROPAGATORS)
def test_a_propagator_that_nobody_has_is_found(given: str, tmp_path: Path) -> None:
    """OpenTelemetry cannot be imported then, which is what the doctor says instead of failing of it as well."""
    environ = {**os.environ, "OTEL_PROPAGATORS": given}
    imported = subprocess.run(
        [sys.executable, "-c", "import opentelemetry.propagate"],
        env=environ,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (imported.returncode == 0) is PROPAGATORS[given]
    program = "import sys; from otel_posthog.apps.cli import main; sys.exit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", program, "doctor", "--json", "--timeout", "60"], env=environ, cwd=tmp_path,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.stderr == b""
    found = {each["id"]: each for each in json.loads(ran.stdout)}
    assert ("propagator_unknown" not in found) is PROPAGATORS[given]


def sdk_takes_limits() -> bool:
    """Ask the SDK about what the environment has."""
    try:
        SpanLimits()
        LogRecordLimits()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("variable", LIMITS)
def test_a_limit_that_is_no_number_is_found(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK does not take is found, what it takes is not, and the environment is as it was."""
    if variable not in vars(environment_variables):
        pytest.skip(f"this SDK has no {variable}; a newer one does")
    healthy(monkeypatch)
    for value in ("x", "-1", "1.5", "", "0", " 12 "):
        monkeypatch.setenv(variable, value)
        found = [each["says"] for each in doctor().findings if each["id"] == "limit_unusable"]
        assert bool(found) is not sdk_takes_limits(), value
        assert all(each.startswith(variable) for each in found)
        assert os.environ[variable] == value


def test_every_limit_of_the_sdk_is_known() -> None:
    """What ends in `_LIMIT` among the SDK's variables."""
    names = {name for name in vars(environment_variables) if name.startswith("OTEL_") and name.endswith("_LIMIT")}
    assert names <= set(LIMITS)


def test_the_doctor_finds_what_the_sdk_cannot_be_imported_with(tmp_path: Path) -> None:
    """And goes on to the rest, without a traceback, as JSON."""
    program = "import sys; from otel_posthog.apps.cli import main; sys.exit(main())"
    environ = {**os.environ, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "x"}
    ran = subprocess.run(
        [sys.executable, "-c", program, "doctor", "--json", "--timeout", "60"], env=environ, cwd=tmp_path,
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.stderr == b""
    assert {"limit_unusable", "versions"} <= {each["id"] for each in json.loads(ran.stdout)}
