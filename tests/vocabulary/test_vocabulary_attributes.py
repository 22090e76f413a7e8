"""What attributes become: each row of the second table of `docs/vocabulary.md`, through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from events import ring
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from telemetry import Telemetry

from otel_posthog import capture, user_context
from otel_posthog.identity import Pseudonyms
from otel_posthog.intake import AnalyticsSampler
from otel_posthog.policy import CollectionPolicy, IdentityMode

TIME_NS = 1_764_000_000_123_456_789
TIME = "2025-11-24T16:00:00.123456+00:00"
# Of that moment, as PostHog takes a session id: UUIDv7, at most a day old.
SESSION = "019ab697-e493-7000-8000-000000000001"
UUID = "018f3c5e-7b2a-7cc0-8000-000000000001"

USER_ID_KEYS = [
    "analytics.user.id",
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "posthogDistinctId",
    "posthog.distinct_id",
]
SESSION_ID_KEYS = ["analytics.session.id", "session.id", "sessionId", "posthog.session_id"]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """An app's telemetry in the mode `identified`."""
    with Telemetry() as made:
        yield made


def of_log(telemetry: Telemetry, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the event of a log-based event with `attributes`."""
    telemetry.logger.emit(event_name="analytics.e", timestamp=TIME_NS, attributes=attributes)
    return telemetry.events[-1]


def of_span(telemetry: Telemetry, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the event of a span with `attributes`."""
    span = telemetry.tracer.start_span("op", attributes={"analytics.event": "e", **attributes})
    span.end(end_time=TIME_NS)
    return telemetry.events[-1]


def of_span_event(telemetry: Telemetry, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the event of a span event with `attributes`."""
    span = telemetry.tracer.start_span("op")
    span.add_event("analytics.e", attributes, timestamp=TIME_NS)
    span.end()
    return telemetry.events[-1]


SOURCES = pytest.mark.parametrize("of", [of_log, of_span, of_span_event])


@SOURCES
def test_row_event(of: Any, telemetry: Telemetry) -> None:
    """`analytics.event` is the event's name, before the name of a log-based event or span event."""
    assert of(telemetry, {"analytics.event": "é" * 100})["event"] == "é" * 100
    of(telemetry, {"analytics.event": "é" * 101})
    assert len(telemetry.events) == 1
    assert telemetry.dropped == {"name_invalid": 1}


@SOURCES
def test_row_journey_id(of: Any, telemetry: Telemetry) -> None:
    """`analytics.journey.id` is the property `journey_id`; what is no id is counted."""
    assert of(telemetry, {"analytics.journey.id": " order-4711 "})["properties"]["journey_id"] == "order-4711"
    assert "journey_id" not in of(telemetry, {"analytics.journey.id": 1.5})["properties"]
    assert telemetry.counted() == {"journey_id_invalid": 1}


@SOURCES
def test_row_user_id(of: Any, telemetry: Telemetry) -> None:
    """`analytics.user.id` and its fallbacks in order, then the context's identity, are the `distinct_id`."""
    given = {key: f"id-{number}" for number, key in enumerate(USER_ID_KEYS)}
    with user_context("id-context"):
        for number, key in enumerate(USER_ID_KEYS):
            assert of(telemetry, given)["distinct_id"] == f"id-{number}"
            del given[key]
        assert of(telemetry, given)["distinct_id"] == "id-context"
    nobody = of(telemetry, {})
    assert (nobody["distinct_id"], nobody["options"]["process_person_profile"]) == ("installation-1", False)


@SOURCES
def test_row_session_id(of: Any, telemetry: Telemetry) -> None:
    """`analytics.session.id` and its fallbacks are `$session_id` where PostHog takes it, else `session_id`."""
    given = {key: f"s-{number}" for number, key in enumerate(SESSION_ID_KEYS)}
    with user_context(session_id="s-context"):
        for number, key in enumerate(SESSION_ID_KEYS):
            assert of(telemetry, given)["properties"]["session_id"] == f"s-{number}"
            del given[key]
        assert of(telemetry, given)["properties"]["session_id"] == "s-context"
    taken = of(telemetry, {"analytics.session.id": SESSION})
    assert taken["session_id"] == SESSION
    assert "session_id" not in taken["properties"]


@SOURCES
def test_row_window_id(of: Any, telemetry: Telemetry) -> None:
    """`analytics.window.id`, else `window.id`, is `$window_id`; what is no id is counted."""
    assert of(telemetry, {"analytics.window.id": " w-1 ", "window.id": "w-2"})["window_id"] == "w-1"
    sent = of(telemetry, {"window.id": "w-2"})
    assert sent["window_id"] == "w-2"
    assert "w-2" not in str(sent["properties"])
    both = {"analytics.property.$window_id": "w-library", "window.id": "w-2"}
    assert of(telemetry, both)["window_id"] == "w-library"
    assert of(telemetry, {**both, "analytics.window.id": "w-1"})["window_id"] == "w-1"
    assert "window_id" not in of(telemetry, {"analytics.window.id": 1.5})
    assert telemetry.counted() == {"window_id_invalid": 1}


@SOURCES
def test_row_group(of: Any, telemetry: Telemetry) -> None:
    """`analytics.group.<type>` is `$groups.<type>`."""
    with user_context(groups={"team": "blue"}):
        event = of(telemetry, {"analytics.group.company": "acme"})
    assert event["properties"]["$groups"] == {"company": "acme", "team": "blue"}


@SOURCES
def test_row_group_set(of: Any, telemetry: Telemetry) -> None:
    """`analytics.group.set.<type>.<k>` is a `$groupidentify` of the group that `analytics.group.<type>` names."""
    event = of(telemetry, {"analytics.group.company": "acme", "analytics.group.set.company.plan": "pro"})
    assert telemetry.names == ["e", "$groupidentify"]
    update = {key: event["properties"][key] for key in ("$group_type", "$group_key", "$group_set")}
    assert update == {"$group_type": "company", "$group_key": "acme", "$group_set": {"plan": "pro"}}


@SOURCES
def test_row_user_set(of: Any, telemetry: Telemetry) -> None:
    """`analytics.user.set.<k>` and `analytics.user.set_once.<k>` are `$set.<k>` and `$set_once.<k>`."""
    attributes = {"analytics.user.set.plan": "pro", "analytics.user.set_once.source": "ads"}
    properties = of(telemetry, {"analytics.user.id": "u1", **attributes})["properties"]
    assert (properties["$set"], properties["$set_once"]) == ({"plan": "pro"}, {"source": "ads"})


@SOURCES
def test_row_user_alias(of: Any, telemetry: Telemetry) -> None:
    """`analytics.user.alias` is a `$create_alias` that joins that id and the user's."""
    event = of(telemetry, {"analytics.user.id": "u1", "analytics.user.alias": "visitor-1"})
    assert telemetry.names == ["e", "$create_alias"]
    assert (event["distinct_id"], event["properties"]["alias"]) == ("visitor-1", "u1")


@SOURCES
def test_row_consent(of: Any, telemetry: Telemetry) -> None:
    """`analytics.consent` = false keeps the event from being sent, here or in context, and an alias with it."""
    of(telemetry, {})
    denied = {"analytics.consent": False, "analytics.user.id": "u1", "analytics.user.alias": "v"}
    of(telemetry, denied)
    with user_context(consent=False):
        of(telemetry, {"analytics.consent": True})
    assert telemetry.names == ["e"]
    assert telemetry.dropped == {"consent": 3}


def test_row_consent_required() -> None:
    """`analytics.consent` = true is needed where the policy says so; silence is then a no."""
    with Telemetry(collection=CollectionPolicy(consent_required=True)) as telemetry:
        telemetry.span(analytics__event="silent")
        telemetry.span(analytics__event="asked", analytics__consent=True)
        assert telemetry.names == ["asked"]


@SOURCES
def test_row_uuid(of: Any, telemetry: Telemetry) -> None:
    """`analytics.uuid` is taken as given, lowercase; what is none is counted and another is derived."""
    assert of(telemetry, {"analytics.uuid": UUID.upper()})["uuid"] == UUID
    assert of(telemetry, {"analytics.uuid": "nope"})["uuid"] != "nope"
    assert telemetry.counted()["uuid_invalid"] == 1


@SOURCES
@pytest.mark.parametrize("named", ["default", ["default"], ("another", "default")])
def test_row_destinations(of: Any, named: Any, telemetry: Telemetry) -> None:
    """`analytics.posthog.destinations` names those that an item is sent to, and is no property; others get nothing."""
    event = of(telemetry, {"analytics.posthog.destinations": named})
    assert not [key for key in event["properties"] if "destination" in key]
    of(telemetry, {"analytics.posthog.destinations": "another"})
    of(telemetry, {"analytics.posthog.destinations": 7})
    assert len(telemetry.events) == 1
    assert telemetry.dropped == {"destination_unknown": 2}


@pytest.mark.parametrize("written", [str, str.upper, lambda each: each.replace("-", ""), "urn:uuid:{}".format])
@pytest.mark.parametrize(
    "key",
    ["analytics.user.id", "enduser.id", "analytics.session.id", "analytics.group.company", "analytics.user.alias"],
)
@SOURCES
def test_a_uuid_that_is_somebodys_id_is_not_taken(of: Any, key: str, written: Any, telemetry: Telemetry) -> None:
    """It would leave in every mode, and make one event of all that somebody does; nor is a record's uid then."""
    losing = {"analytics.user.id": "u-0815"} if key == "enduser.id" else {}
    first = of(telemetry, {key: UUID, **losing, "analytics.uuid": written(UUID)})
    assert first["uuid"] not in {UUID, None}
    assert telemetry.counted()["uuid_invalid"] >= 1
    second = of_log(telemetry, {key: UUID, **losing, "log.record.uid": written(UUID)})
    assert second["uuid"] != UUID


@SOURCES
def test_row_timestamp(of: Any, telemetry: Telemetry) -> None:
    """`analytics.timestamp` is taken as given; what is none is counted and the telemetry's own is taken."""
    assert (
        of(telemetry, {"analytics.timestamp": "2026-01-02T04:04:05+01:00"})["timestamp"][:19] == "2026-01-02T03:04:05"
    )
    assert of(telemetry, {"analytics.timestamp": 1_767_323_045_000_000_000})["timestamp"][:19] == "2026-01-02T03:04:05"
    assert of(telemetry, {"analytics.timestamp": "yesterday"})["timestamp"] == TIME
    assert telemetry.counted()["timestamp_invalid"] == 1


@SOURCES
def test_row_property(of: Any, telemetry: Telemetry) -> None:
    """`analytics.property.<key>` and any other `analytics.<key>` are properties; the first form wins."""
    attributes = {
        "analytics.property.event": "mine",
        "analytics.priority": "low",
        "analytics.property.priority": "high",
    }
    properties = of(telemetry, attributes)["properties"]
    assert (properties["event"], properties["priority"]) == ("mine", "high")


def test_row_posthog_keys(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """`$set`, `$set_once`, `$groups`, `$session_id`, `$window_id`, `distinct_id` as properties: as posthog-python's."""
    telemetry.use_for_capture(monkeypatch)
    properties = {
        "$set": {"plan": "pro"},
        "$set_once": {"first": 1},
        "$groups": {"company": "acme", "team": 7},
        "$session_id": "s-property",
        "$window_id": "w-property",
        "distinct_id": "id-property",
        "own": 1,
    }
    capture("e", properties)
    sent = telemetry.only
    assert (sent["distinct_id"], sent["window_id"]) == ("id-property", "w-property")
    assert {key: sent["properties"].get(key) for key in ("$set", "$set_once", "$groups", "session_id", "own")} == {
        "$set": {"plan": "pro"},
        "$set_once": {"first": 1},
        "$groups": {"company": "acme", "team": "7"},
        "session_id": "s-property",
        "own": 1,
    }
    capture("e", properties, distinct_id="id-given", session_id="s-given", groups={"company": "given"})
    sent = telemetry.events[1]
    assert (sent["distinct_id"], sent["properties"]["session_id"]) == ("id-given", "s-given")
    assert sent["properties"]["$groups"] == {"company": "given", "team": "7"}


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_row_process_person_profile(mode: IdentityMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """`$process_person_profile` = false: no profile, and nothing is set on one."""
    with Telemetry(mode, pseudonyms=Pseudonyms(keys=ring())) as telemetry:
        telemetry.use_for_capture(monkeypatch)
        for wanted in (False, "false", True):
            capture("e", {"$process_person_profile": wanted, "$set": {"a": 1}}, distinct_id="u-4711")
        capture("e", {"$process_person_profile": "perhaps"}, distinct_id="u-4711")
    profiles = [each["options"]["process_person_profile"] for each in telemetry.events]
    assert profiles == [False, False, mode.has_persons, mode.has_persons or False]
    assert ["$set" in each["properties"] for each in telemetry.events] == [False, False, mode.has_persons, False]
    assert telemetry.counted().get("posthog_key_invalid") == 1


@SOURCES
def test_row_all_other_attributes(of: Any, telemetry: Telemetry) -> None:
    """`all other attributes` are not sent unless the policy allows the key."""
    properties = of(telemetry, {"http.route": "/t/{id}", "http.url": "/t/7", "db.query.text": "select"})["properties"]
    assert properties["http.route"] == "/t/{id}"
    assert properties["service.name"] == "helpdesk"
    assert not {"http.url", "db.query.text", "service.instance.id"} & set(properties)


@SOURCES
def test_row_trace_and_span_id(of: Any) -> None:
    """`trace and span id` are `$trace_id` and `$span_id`, and a link where the policy has a template for it."""
    with Telemetry(trace_url="https://grafana.example/{trace_id}/{span_id}") as telemetry:
        with telemetry.tracer.start_as_current_span("around"):
            properties = of(telemetry, {})["properties"]
        trace_id, span_id = properties["$trace_id"], properties["$span_id"]
        assert (len(trace_id), len(span_id)) == (32, 16)
        assert properties["trace_url"] == f"https://grafana.example/{trace_id}/{span_id}"


@SOURCES
@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_row_trace_sampled(of: Any, sampler: Any) -> None:
    """`whether the trace was sampled` is `trace_sampled`; no `trace_url` leads where there is no trace."""
    made = AnalyticsSampler(sampler)
    with Telemetry(sampler=made, trace_url="https://grafana.example/{trace_id}") as telemetry:
        with telemetry.tracer.start_as_current_span("around"):
            properties = of(telemetry, {})["properties"]
        assert properties["trace_sampled"] is (sampler is ALWAYS_ON)
        assert ("trace_url" in properties) is (sampler is ALWAYS_ON)


def test_row_time(telemetry: Telemetry) -> None:
    """The time is `the span's end`, the span event's own, the log record's, else when the record was observed."""
    for of in (of_log, of_span, of_span_event):
        assert of(telemetry, {})["timestamp"] == TIME
    telemetry.logger.emit(event_name="analytics.e", observed_timestamp=TIME_NS)
    assert telemetry.events[-1]["timestamp"] == TIME


def test_row_derived_uuid(telemetry: Telemetry) -> None:
    """Without `analytics.uuid`, `log.record.uid` is the uuid, else a hash that tells exact repeats apart."""
    assert of_log(telemetry, {"log.record.uid": UUID})["uuid"] == UUID
    span = telemetry.tracer.start_span("op", attributes={"analytics.event": "e"})
    for _ in range(3):
        span.add_event("analytics.e", timestamp=TIME_NS)
    span.end(end_time=TIME_NS)
    derived = [each["uuid"] for each in telemetry.events[1:]]
    assert len(set(derived)) == len(derived) == 4


@SOURCES
def test_row_exception(of: Any, telemetry: Telemetry) -> None:
    """`exception.message` and `exception.stacktrace` are never sent, nor what an exception says by other names."""
    secret = "no such customer: Ludwig"
    of(telemetry, {"exception.type": "KeyError", "exception.message": secret, "exception.stacktrace": secret})
    of(telemetry, {"analytics.property.exception.message": secret, "analytics.exception.stacktrace": secret})
    of(telemetry, {"analytics.event": "exception", "analytics.message": secret})
    assert "Ludwig" not in str(telemetry.events)
    assert telemetry.counted()["exception_text"] == 3


def test_row_limit_attributes(telemetry: Telemetry) -> None:
    """Past `128 attributes` the SDK evicts the oldest: what a span was started with is still known here."""
    attributes = {"analytics.event": "e", "analytics.user.id": "u1"}
    with telemetry.tracer.start_as_current_span("op", attributes=attributes) as span:
        for number in range(128):
            span.set_attribute(f"key{number}", number)
    assert telemetry.only["distinct_id"] == "u1"
    assert telemetry.counted()["attributes_limit"] == 1


def test_row_limit_span_events(telemetry: Telemetry) -> None:
    """Past `128 span events` the SDK evicts the oldest: product events are kept, the operational ones are not ours."""
    with telemetry.tracer.start_as_current_span("op") as span:
        for number in range(200):
            span.add_event("analytics.step", {"analytics.number": number}, timestamp=TIME_NS)
            span.add_event("operational", timestamp=TIME_NS)
    assert [each["properties"]["number"] for each in telemetry.events] == list(range(200))
    assert len({each["uuid"] for each in telemetry.events}) == 200
    (exported,) = telemetry.spans.get_finished_spans()
    assert {each.name for each in exported.events} == {"operational"}
    assert len(exported.events) == 64


def test_row_limit_bytes(telemetry: Telemetry) -> None:
    """An event over `900 KiB` loses its largest properties, which is counted."""
    properties = {f"analytics.p{number}": "x " * 4000 for number in range(120)}
    event = of_log(telemetry, {**properties, "analytics.n": 1})
    assert event["properties"]["n"] == 1
    assert 100 < len(event["properties"]) < 120
    assert telemetry.health.actions()["max_event_bytes", "removed"] >= 1


def test_row_limit_user_id(telemetry: Telemetry) -> None:
    """A `distinct_id` of more than 200 characters, or one that PostHog takes for nobody, is nobody."""
    for user_id in ("x" * 201, "null"):
        assert of_log(telemetry, {"analytics.user.id": user_id})["distinct_id"] == "installation-1"
    assert telemetry.counted()["distinct_id_invalid"] == 2


@pytest.mark.parametrize("mode", [IdentityMode.UNLINKED, IdentityMode.INSTALLATION, IdentityMode.DAILY])
def test_row_modes_without_persons(mode: IdentityMode) -> None:
    """In the modes `unlinked`, `installation` and `daily` the event goes without user, groups and person.

    What would change them is dropped.
    """
    attributes = {
        "analytics.user.id": "user-4711",
        "analytics.user.alias": "visitor-4711",
        "analytics.user.set.plan": "pro",
        "analytics.group.company": "company-4711",
        "analytics.group.set.company.size": 5,
    }
    with Telemetry(mode) as telemetry:
        of_log(telemetry, attributes)
        assert telemetry.names == ["e"]
        assert [each for each in ("user-4711", "visitor-4711", "company-4711") if each in str(telemetry.events)] == []
        assert telemetry.dropped == {"person_event": 2}
