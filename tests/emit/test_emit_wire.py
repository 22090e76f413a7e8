"""What arrives for each emitter is what the installed posthog-python sends for the same call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from posthog.client import Client
from telemetry import Telemetry

import otel_posthog
from otel_posthog.policy import IdentityMode
from otel_posthog.testing import FakePostHog

# What either library adds of its own: its name, its host, what it does about addresses, dates and profiles.
_OF_THE_LIBRARY = {"$lib", "$lib_version", "$is_server", "$geoip_disable", "$ip", "$python_runtime", "$python_version"}
_OF_THE_HOST = {"$os", "$os_version", "$os_distro", "service.name"}

Call = Callable[[Any], object]
CALLS: dict[str, Call] = {
    "capture": lambda api: api.capture(
        "paid", distinct_id="u1", properties={"plan": "pro"}, groups={"company": "acme"}
    ),
    "set": lambda api: api.set(distinct_id="u1", properties={"plan": "pro"}),
    "set_once": lambda api: api.set_once(distinct_id="u1", properties={"source": "ads"}),
    "alias": lambda api: api.alias(previous_id="visitor-1", distinct_id="u1"),
    "group_identify": lambda api: api.group_identify("company", "acme", {"size": 5}, distinct_id="u1"),
    "group_identify without properties": lambda api: api.group_identify("company", "acme", distinct_id="u1"),
}


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry that the emitters use."""
    with Telemetry() as made:
        yield made.use_for_capture(monkeypatch)


def said(event: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return what an event says, without what its library adds; `$set` at the top where `/batch/` has it."""
    properties = {**event["properties"], **{key: event[key] for key in ("$set", "$set_once") if key in event}}
    kept = {key: value for key, value in properties.items() if key not in _OF_THE_LIBRARY | _OF_THE_HOST}
    return event["event"], event["distinct_id"], kept


@pytest.mark.parametrize("name", CALLS)
def test_it_says_what_posthog_python_says(name: str, telemetry: Telemetry, fake_posthog: FakePostHog) -> None:
    """The same keywords, the same event, the same `distinct_id`, the same properties."""
    client = Client("phc_test", host=fake_posthog.url, sync_mode=True)
    CALLS[name](client)
    CALLS[name](otel_posthog)
    client.shutdown()
    (request,) = fake_posthog.requests
    (theirs,) = json.loads(request.body)["batch"]
    assert said(telemetry.only) == said(theirs)
    assert telemetry.only["options"]["process_person_profile"] is True


def test_identify_is_posthogs_identify_event(telemetry: Telemetry) -> None:
    """posthog-python has none any more; the form is that of https://posthog.com/docs/api/capture."""
    otel_posthog.identify("u1", {"plan": "pro"})
    assert said(telemetry.only) == ("$identify", "u1", {"$set": {"plan": "pro"}})


def test_a_group_without_a_user_is_its_own_subject(telemetry: Telemetry) -> None:
    """Not a new person each time, as a random id would make."""
    otel_posthog.group_identify("company", "acme", {"size": 5})
    assert telemetry.only["distinct_id"] == "$company_acme"
    assert telemetry.only["options"]["process_person_profile"] is True


@pytest.mark.parametrize("mode", [IdentityMode.UNLINKED, IdentityMode.INSTALLATION, IdentityMode.DAILY])
@pytest.mark.parametrize("name", [name for name in CALLS if name != "capture"])
def test_where_there_are_no_persons_none_is_changed(
    name: str, mode: IdentityMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropped and counted: the mode's promise does not depend on what an app calls."""
    with Telemetry(mode) as telemetry:
        telemetry.use_for_capture(monkeypatch)
        CALLS[name](otel_posthog)
        assert telemetry.events == []
        assert telemetry.dropped == {"person_event": 1}
