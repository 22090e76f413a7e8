"""The entry points, as pip and `opentelemetry-instrument` see them."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, distribution
from pathlib import Path

import pytest

from otel_posthog import environment_variables
from otel_posthog.setup import zero_code


def entry_points() -> list[EntryPoint]:
    """Return what the installed distribution registers."""
    return list(distribution("otel-posthog").entry_points)


def test_every_entry_point_loads() -> None:
    """What the package registers exists."""
    ours = entry_points()
    assert {point.group for point in ours} >= {
        "opentelemetry_pre_instrument",
        "opentelemetry_instrumentor",
        "opentelemetry_environment_variables",
        "opentelemetry_traces_sampler",
        "opentelemetry_sampler",
        "opentelemetry_traces_exporter",
        "opentelemetry_logs_exporter",
        "console_scripts",
        "pytest11",
    }
    for point in ours:
        point.load()


def test_no_distro_and_no_configurator_is_registered() -> None:
    """Registering one would take over the host's set-up."""
    groups = {point.group for point in entry_points()}
    assert not groups & {"opentelemetry_distro", "opentelemetry_configurator"}


def test_opentelemetry_instrument_lists_our_options() -> None:
    """`--help` works, which two modules naming one option would end, and it shows ours."""
    command = [str(Path(sys.executable).with_name("opentelemetry-instrument")), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    for option in ("--posthog_policy", "--posthog_enabled", "--posthog_sampler", "--posthog_state_dir"):
        assert option in done.stdout


def test_only_our_own_variables_become_options() -> None:
    """Every `OTEL_` attribute of the module is an option of `opentelemetry-instrument`: none may be a standard one."""
    names = [name for name in vars(environment_variables) if name.startswith("OTEL_")]
    assert names
    assert [name for name in names if not name.startswith("OTEL_POSTHOG_")] == []


def test_the_hook_never_raises(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a pre-instrument hook would stop every later hook and instrumentor of the app."""

    def broken(_: object) -> None:
        raise MemoryError("with a secret in it")

    monkeypatch.setattr(zero_code, "_set_up", broken)
    zero_code.auto_configure()
    assert "MemoryError" in caplog.text
    assert "secret" not in caplog.text
