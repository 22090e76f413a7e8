"""The conditions: what differs between the programs of a round, the state of PostHog or of the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.app import hide_package
from otel_posthog.testing import FakePostHog, Fault

API_KEY, UNKNOWN_KEY = "phc_benchmark", "phc_unknown"
SAMPLING = 0.1
HANG_S = 3600.0  # longer than any run: the server ends it when it stops


@dataclass(frozen=True, slots=True)
class Condition:
    """One program of a round.

    Attributes:
        name: As the tables and `--condition` call it.
        prepare: Brings a running server and the app's environment, whose files go into a folder, into this state.
        summary: What the state is.
        sampling: Which share of traces the app's sampler keeps.
    """

    name: str
    prepare: Callable[[FakePostHog, dict[str, str], Path], None]
    summary: str
    sampling: float = SAMPLING


def _well(_server: FakePostHog, _environment: dict[str, str], _folder: Path) -> None:
    """Change nothing."""


def _refusing(server: FakePostHog, _environment: dict[str, str], _folder: Path) -> None:
    server.stop()


def _hanging(server: FakePostHog, _environment: dict[str, str], _folder: Path) -> None:
    server.fault(Fault(hang_s=HANG_S, times=None))


def _bad_key(_server: FakePostHog, environment: dict[str, str], _folder: Path) -> None:
    environment[env.POSTHOG_API_KEY] = UNKNOWN_KEY


def _off(_server: FakePostHog, environment: dict[str, str], _folder: Path) -> None:
    environment[env.OTEL_POSTHOG_ENABLED] = "false"


def _without(_server: FakePostHog, environment: dict[str, str], folder: Path) -> None:
    hide_package(folder, environment)


WELL = Condition("well", _well, "PostHog takes every event")
AGAIN = Condition("again", _well, "the same program once more: the control, whose difference to `well` is noise")
WITHOUT = Condition("without", _without, "otel-posthog is not there")
COMPARED = (
    Condition("refusing", _refusing, "PostHog is stopped: connections are refused"),
    Condition("hanging", _hanging, "PostHog reads requests and never answers"),
    Condition("bad-key", _bad_key, "PostHog answers 401"),
    Condition("off", _off, "collection is switched off; product data is stripped"),
)


def programs(names: list[str] | None, sampling: float = SAMPLING) -> tuple[Condition, ...]:
    """Return the conditions of a run: those called `names` (None for all), and those that all are compared with."""
    chosen = (WELL, AGAIN, *(each for each in COMPARED if names is None or each.name in names), WITHOUT)
    return tuple(replace(each, sampling=sampling) for each in chosen)
