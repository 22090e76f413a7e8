"""The page of journeys: its examples run, and its tables are what happens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from telemetry import Telemetry

from otel_posthog.events import usual

PAGE = (Path(__file__).parents[2] / "docs" / "journeys.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, in which journeys are told."""
    with Telemetry() as made:
        yield made.use_for_capture(monkeypatch)


def steps(telemetry: Telemetry) -> list[str]:
    """Return the events, a step by its name."""
    return [each["properties"].get("step", each["event"]) for each in telemetry.events]


def test_the_first_example_runs(telemetry: Telemetry) -> None:
    """A block with two steps."""
    exec(EXAMPLES[0], {"save_profile": id, "create_team": id, "form": None})
    assert steps(telemetry) == ["journey_started", "profile", "team", "journey_completed"]


def test_the_example_of_several_requests_runs(telemetry: Telemetry) -> None:
    """Two pages and a task are one journey."""
    names: dict[str, Any] = dict.fromkeys(("save_profile", "create_team"), id)
    names["create_workspace"] = lambda: None
    exec(EXAMPLES[1], names)
    names["make_workspace"] = SimpleNamespace(delay=names["make_workspace_task"])
    session: dict[str, Any] = {}
    names["first_page"](session, None)
    names["last_page"](session, None)
    assert steps(telemetry) == ["journey_started", "profile", "workspace", "team", "journey_completed"]
    assert len({each["properties"]["journey_id"] for each in telemetry.events}) == 1
    assert session == {}


def test_the_example_of_a_function_runs(telemetry: Telemetry) -> None:
    """A coroutine function with a decorator."""

    async def done(*_: Any) -> None:
        pass

    names: dict[str, Any] = {"read": done, "store": done}
    exec(EXAMPLES[2], names)
    asyncio.run(names["import_file"](None))
    assert steps(telemetry) == ["journey_started", "read", "store", "journey_completed"]


def test_the_table_of_events_is_that_of_the_usual_events() -> None:
    """The same properties, in the same order."""
    rows = dict(re.findall(r"^\| `(journey_\w+)` \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE))
    told = {name: re.findall(r"`(\w+)`", text) for name, text in rows.items()}
    classes: list[Any] = [
        usual.JourneyStarted,
        usual.JourneyStepCompleted,
        usual.JourneyCompleted,
        usual.JourneyAbandoned,
    ]
    declared = [[name for name in each.__annotations__ if name != "journey"] for each in classes]
    assert list(told.values()) == declared
