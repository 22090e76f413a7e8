"""The public emitters: plain OpenTelemetry, any provider or none, nothing raised."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from telemetry import Telemetry

import otel_posthog
from otel_posthog import alias, capture, group_identify, identify, set, set_once, user_context  # noqa: A004
from otel_posthog.errors import Guard

UUID = "018f3c5e-7b2a-7cc0-8000-000000000001"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc)


class Plan(str, Enum):
    """A plan of the app's."""

    PRO = "pro"


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An app's telemetry that the emitters use."""
    with Telemetry() as made:
        yield made.use_for_capture(monkeypatch)


EMITTERS = [
    lambda: capture("e", {"a": 1}, uuid=UUID),
    lambda: identify("u1", {"plan": "pro"}, uuid=UUID),
    lambda: set("u1", {"plan": "pro"}, uuid=UUID),
    lambda: set_once("u1", {"plan": "pro"}, uuid=UUID),
    lambda: alias("visitor-1", "u1", uuid=UUID),
    lambda: group_identify("company", "acme", {"size": 5}, uuid=UUID),
]


@pytest.mark.parametrize("emit", EMITTERS)
def test_without_any_provider_nothing_happens(emit: Any) -> None:
    """A program without the SDK runs as it would without us, and gets the uuid it asked for."""
    assert emit() == UUID


@pytest.mark.parametrize("emit", EMITTERS)
def test_the_returned_uuid_is_the_events(emit: Any, telemetry: Telemetry) -> None:
    """Each call is one event, and a caller can name it."""
    assert emit() == UUID
    assert telemetry.only["uuid"] == UUID


@pytest.mark.parametrize("emit", EMITTERS)
def test_a_provider_that_fails_raises_nothing_and_is_told_once(
    emit: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The program goes on, whatever somebody's logger provider does; the log has no value in it."""
    monkeypatch.setattr(Guard, "reraise", False)

    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("otel_posthog.emit.record.get_logger", broken)
    otel_posthog.emit.record._log_once.cache_clear()
    for _ in range(3):
        emit()
    assert caplog.messages == ["a product event could not be emitted: RuntimeError (logged once)"]


@pytest.mark.parametrize("name", [None, 7, 7.5, True, b"e", Decimal(7), uuid.UUID(UUID), ["e"], {"e": 1}, object, ""])
def test_a_name_that_is_no_text_is_name_invalid(name: Any, telemetry: Telemetry) -> None:
    """Not an event that is called `None` or `7`, which nobody would look for."""
    capture(name)
    capture(name, {"event": "e"}, distinct_id="u1")
    assert (telemetry.events, telemetry.dropped) == ([], {"name_invalid": 2})


def test_a_name_may_be_the_member_of_an_enum(telemetry: Telemetry) -> None:
    """Of one that is a text, and of one whose value is."""

    class Events(Enum):
        """Names that are no texts themselves."""

        OPENED = "opened"
        SEVENTH = 7

    for each in (Plan.PRO, Events.OPENED, Events.SEVENTH):
        capture(each)  # type: ignore[arg-type]
    assert (telemetry.names, telemetry.dropped) == (["pro", "opened"], {"name_invalid": 1})


@pytest.mark.parametrize("given", ["nope", 7, None])
def test_a_uuid_that_is_none_is_replaced(given: Any, telemetry: Telemetry) -> None:
    """As in posthog-python, a new one is made and returned."""
    made = capture("e", uuid=given)
    assert uuid.UUID(made).version == 4
    assert telemetry.only["uuid"] == made


def test_a_uuid_may_be_an_object_or_uppercase(telemetry: Telemetry) -> None:
    """It is returned as it is sent: lowercase."""
    assert capture("e", uuid=uuid.UUID(UUID)) == capture("e", uuid=UUID.upper()) == UUID


@pytest.mark.parametrize(
    ("timestamp", "sent"),
    [
        (MOMENT, "2026-01-02T03:04:05.000006+00:00"),
        (MOMENT.astimezone(timezone(timedelta(hours=5))), "2026-01-02T03:04:05.000006+00:00"),
        (MOMENT.astimezone().replace(tzinfo=None), "2026-01-02T03:04:05.000006+00:00"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000+00:00"),
    ],
)
def test_a_timestamp_is_a_datetime_or_a_text(timestamp: Any, sent: str, telemetry: Telemetry) -> None:
    """In any zone; a naive one is local time."""
    capture("e", timestamp=timestamp)
    assert telemetry.only["timestamp"] == sent


@pytest.mark.parametrize("timestamp", [datetime.min, datetime.max, "yesterday", 17])  # noqa: DTZ901
def test_a_timestamp_that_is_none_is_counted_and_the_event_is_of_now(timestamp: Any, telemetry: Telemetry) -> None:
    """The event itself is not lost for it."""
    capture("e", timestamp=timestamp)
    assert telemetry.only["timestamp"][:4] >= "2025"
    assert telemetry.counted() == {"timestamp_invalid": 1}


def test_properties_of_python_arrive_as_json(telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    """Dates, durations, enums, decimals, sets and nested values, and the SDK has nothing to complain of."""
    properties = {
        "plan": Plan.PRO,
        "day": date(2026, 1, 2),
        "took": timedelta(seconds=90),
        "price": Decimal("9.90"),
        "tags": {"a"},
        "nested": {"when": MOMENT, 7: (1, 2)},
        "nothing": None,
        Plan.PRO: 1,
        None: "no key",
    }
    capture("e", properties)  # type: ignore[arg-type]
    assert {key: value for key, value in telemetry.only["properties"].items() if key in {*properties, "pro"}} == {
        "plan": "pro",
        "day": "2026-01-02",
        "took": 90.0,
        "price": 9.9,
        "tags": ["a"],
        "nested": {"when": MOMENT.isoformat(), "7": [1, 2]},
        "nothing": None,
        "pro": 1,
    }
    assert caplog.messages == []


def test_an_object_is_not_spelled_out(telemetry: Telemetry) -> None:
    """What its text would tell nobody knows; in the place of the value there is nothing."""

    class Customer:
        def __str__(self) -> str:
            return "Ada Lovelace"

    capture("e", {"customer": Customer(), "list": [Customer()], "map": {"c": Customer()}})
    assert "Lovelace" not in str(telemetry.events)


def test_a_value_that_holds_itself_comes_to_an_end(telemetry: Telemetry) -> None:
    """No recursion, however deep the value."""
    loop: dict[str, object] = {"n": 1}
    loop["loop"] = loop
    capture("e", {"loop": loop})
    assert telemetry.only["properties"]["loop"]["loop"]["n"] == 1


@pytest.mark.filterwarnings("ignore:Log record attributes were dropped")
def test_with_more_than_128_properties_uuid_and_user_stay(telemetry: Telemetry) -> None:
    """The SDK evicts the oldest attributes: what says which event and who it is comes last, and the loss is counted."""
    made = capture("e", {f"p{number}": number for number in range(200)}, distinct_id="u1")
    assert (telemetry.only["uuid"], telemetry.only["distinct_id"]) == (made, "u1")
    assert telemetry.counted()["attributes_limit"] == 1


def test_the_identity_in_context_is_who_acts(telemetry: Telemetry) -> None:
    """`distinct_id` may be left out inside `user_context`, in every emitter."""
    with user_context("u1", groups={"company": "acme"}):
        capture("e")
        set(properties={"plan": "pro"})
        set_once(properties={"source": "ads"})
        alias("visitor-1")
        group_identify("team", "blue")
    assert telemetry.names == ["e", "$set", "$set_once", "$create_alias", "$groupidentify"]
    assert [each["distinct_id"] for each in telemetry.events] == ["u1", "u1", "u1", "visitor-1", "u1"]


def test_an_event_carries_user_session_and_groups(telemetry: Telemetry) -> None:
    """What a caller says of who acts is sent where the mode allows it; ids may be numbers and UUIDs."""
    capture("e", distinct_id=7, session_id=uuid.UUID(UUID), groups={"company": 5})
    event = telemetry.only
    assert (event["distinct_id"], event["properties"]["$groups"]) == ("7", {"company": "5"})
    assert event["properties"]["session_id"] == UUID


def test_the_emitters_import_neither_sdk_nor_pipeline() -> None:
    """A library may call them at the price of the API alone."""
    code = "import sys, otel_posthog; otel_posthog.capture('e'); print('opentelemetry.sdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False"]
