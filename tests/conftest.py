"""What every test runs under: our own faults are raised, and nothing of the machine's environment gets in."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from otel_posthog.actor.context import say_off
from otel_posthog.errors import Guard

# Machines that are shared are slow at times; and what CI finds must be found again by who looks into it.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")

# A shell that runs the suite in its background has it ignore Ctrl-C, and so every program that a test starts and ends
# by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `-n auto` gives: two for each core, since tests wait about as long as they work."""
    return min(8, 2 * (os.cpu_count() or 1))


# Their tests start programs and wait for them: begun last, one process would still be at them when the others are done.
_LONG = ("gateway", "benchmarks", "zero_code", "setups", "apps", "faults", "collector", "examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders whose tests take long."""
    order = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


_OWN_LOG = logging.getLogger("otel_posthog")


@pytest.fixture(autouse=True)
def _logging_is_as_before() -> Iterator[None]:
    """Servers, workers and frameworks that tests start in this process set logging up, for all tests after them."""
    _reset_logging()
    yield
    _reset_logging()


def _reset_logging() -> None:
    logging.disable(logging.NOTSET)
    logging.getLogger().setLevel(logging.WARNING)
    _OWN_LOG.setLevel(logging.NOTSET)
    _OWN_LOG.disabled, _OWN_LOG.propagate = False, True


@pytest.fixture(autouse=True)
def _nothing_is_off() -> None:
    """A set-up in this process that found itself switched off decides no test after it."""
    say_off(is_off=False)


@pytest.fixture(autouse=True)
def _faults_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that production would count fails the test."""
    monkeypatch.setattr(Guard, "reraise", True)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No switch, key or exporter of the machine's environment decides a test."""
    for name in list(os.environ):
        if name.startswith(("OTEL_", "POSTHOG_", "USAGE_STATS", "DO_NOT_TRACK", "INSTANCE_ID", "ANALYTICS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OTEL_POSTHOG_STATE_DIR", str(tmp_path / "state"))
