"""Names that only this package may write in an event: whatever way an app says one, PostHog does not get it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import posthog as posthog_python
import pytest
from bridged import PERMISSIVE, with_the_bridge
from events import ring
from gateway import JSON, PROTOBUF, as_json, gateway, logs_request
from opentelemetry import baggage, context
from opentelemetry.trace import SpanKind
from telemetry import Telemetry

from otel_posthog import capture, group_identify, identify, set_once, user_context
from otel_posthog import set as set_person
from otel_posthog.derived_limits import Limits
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.model import Signal, Source
from otel_posthog.policy import Destination, IdentityMode, Policy, PrivacyPolicy
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.sections.derive import DeriveConditions, DeriveKind, DeriveRule
from otel_posthog.posthog.properties import LIBRARIES, OF_TRACE, reserved_names
from otel_posthog.privacy import sanitize_properties
from otel_posthog.stages import Stages
from otel_posthog.testing import FakePostHog

NAMES = sorted({*reserved_names(), *OF_TRACE, "$geoip_city_name", "$lib", "$lib_version"})
# By the others PostHog's libraries say who acts; among the properties of an event they have that meaning here.
OWN = sorted({*NAMES} - LIBRARIES)
LIE, LINK = "http://evil.example/?u=alice", "https://traces.example/{trace_id}"
LIES, OWN_LIES = (dict.fromkeys(names, LIE) | {"note": "stays"} for names in (NAMES, OWN))
MAPS = ("$set", "$set_once", "$group_set")
RULE = DeriveRule(
    name="seen",
    event="derived",
    when=DeriveConditions(kind=(DeriveKind.CLIENT,)),
    properties=FrozenMap({**dict.fromkeys(OWN, "lie"), "note": "said"}),
)
TIME_NS = 1_790_000_000 * 10**9


def attributes(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` as attributes."""
    return {f"{prefix}{name}": value for name, value in values.items()}


def emitted(telemetry: Telemetry, event: str, *parts: Mapping[str, Any]) -> None:
    """Emit a log-based event of a user."""
    given = {"analytics.user.id": "u-4711", **{key: value for part in parts for key, value in part.items()}}
    telemetry.logger.emit(event_name=f"analytics.{event}", attributes=given, timestamp=TIME_NS)


def in_baggage(telemetry: Telemetry) -> None:
    """Emit inside of baggage that has them, by themselves and as attributes of ours."""
    around = context.get_current()
    for name, value in {**LIES, **attributes("analytics.property.", LIES)}.items():
        around = baggage.set_baggage(name, value, around)
    token = context.attach(around)
    try:
        with telemetry.tracer.start_as_current_span("op", attributes={"analytics.event": "e"}):
            emitted(telemetry, "e", {"analytics.property.note": "stays"})
    finally:
        context.detach(token)


def in_a_span_event(telemetry: Telemetry) -> None:
    """Make a product span event in a span that says so too."""
    with telemetry.tracer.start_as_current_span("op", attributes=attributes("analytics.user.set.", LIES)) as span:
        span.add_event("analytics.e", attributes("analytics.property.", OWN_LIES))


def in_groups(telemetry: Telemetry) -> None:
    """Capture with types of groups, by argument and by context."""
    groups = dict.fromkeys(NAMES, "acme-4711") | {"company": "acme-4711"}
    with user_context("u-4711", groups=groups):
        capture("e", {"note": "stays"})
    capture("e", {"note": "stays"}, distinct_id="u-4711", groups=groups)
    for name in NAMES:
        group_identify(name, "acme-4711", {"size": 3})


OF_EVENTS = ("property", "short", "capture", "telemetry", "derived")
ENTRANCES: dict[str, Callable[[Telemetry], object]] = {
    "property": lambda app: emitted(app, "e", attributes("analytics.property.", OWN_LIES)),
    "short": lambda app: emitted(app, "e", attributes("analytics.", OWN_LIES)),
    "capture": lambda _: capture("e", OWN_LIES, distinct_id="u-4711"),
    "telemetry": lambda app: emitted(app, "e", LIES),
    "derived": lambda app: app.tracer.start_span(
        "op", kind=SpanKind.CLIENT, attributes={"lie": LIE, "said": "stays"}
    ).end(),
    "span event": in_a_span_event,
    "baggage": in_baggage,
    "set": lambda app: emitted(app, "e", attributes("analytics.user.set.", LIES)),
    "set_once": lambda app: emitted(app, "e", attributes("analytics.user.set_once.", LIES)),
    "as a library": lambda _: capture("e", {"$set": LIES, "$set_once": LIES}, distinct_id="u-4711"),
    "identify": lambda _: identify("u-4711", LIES),
    "set()": lambda _: set_person("u-4711", LIES),
    "set_once()": lambda _: set_once("u-4711", LIES),
    "group_identify": lambda _: group_identify("company", "acme-4711", LIES),
    "group types": in_groups,
    "lists and maps": lambda _: capture(
        "e", {name: {"deep": [LIE]} for name in OWN} | {"$unset": ["trace_url"], "note": "stays"}, distinct_id="u-4711"
    ),
}  # fmt: skip


def lies(properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield where an event says what only this package may say, and did not."""
    parts = {"": properties, **{name: properties[name] for name in MAPS if name in properties}}
    for part, values in parts.items():
        yield from (f"{part}.{name}" for name in {*NAMES} & {*values} if LIE in str(values[name]))
    for part in MAPS:
        yield from (f"{part}.{name}" for name in {*NAMES} & {*properties.get(part, ())})
    yield from (f"$groups.{name}" for name in {*NAMES} & {*properties.get("$groups", ())})
    if properties.get("$group_type") in NAMES:
        yield "$group_type"


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_no_way_leads_into_an_event(mode: IdentityMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to say something of an event, a person or a group, in each mode; what is beside it stays."""
    privacy = PrivacyPolicy(allow=PrivacyPolicy().allow | {*NAMES, "note"}, max_properties=200)
    pseudonyms = Pseudonyms(keys=ring())
    for way, say in ENTRANCES.items():
        with Telemetry(mode, pseudonyms=pseudonyms, privacy=privacy, derive=(RULE,), trace_url=LINK) as telemetry:
            telemetry.use_for_capture(monkeypatch)
            say(telemetry)
            assert [each for event in telemetry.events for each in lies(event["properties"])] == [], way
            assert LIE not in str(telemetry.events), way
            if mode.has_persons or way in OF_EVENTS:
                assert "stays" in str(telemetry.events), way
            if way != "baggage" and (mode.has_persons or way in OF_EVENTS):
                actions = telemetry.health.actions()
                assert actions["trace_name", "removed"] >= (len(OF_TRACE) if way in OF_EVENTS else 1), way
                assert actions["reserved", "removed"] >= (len(OWN) - len(OF_TRACE) if way in OF_EVENTS else 1), way


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_the_id_of_a_journey_is_the_modes_to_send(mode: IdentityMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A property `journey_id` leaves where ids leave as they are; elsewhere the journey's alone does."""
    privacy = PrivacyPolicy(allow=PrivacyPolicy().allow | {"journey_id"})
    with Telemetry(mode, pseudonyms=Pseudonyms(keys=ring()), privacy=privacy) as telemetry:
        telemetry.use_for_capture(monkeypatch)
        own = {"journey_id": "trip-4711", "note": "stays"}
        for part in ("property.", "", "user.set.", "user.set_once."):
            emitted(telemetry, "e", attributes(f"analytics.{part}", own))
        emitted(telemetry, "e", {"journey_id": "trip-4711"})
        group_identify("company", "acme-4711", own)
        emitted(telemetry, "e", attributes("analytics.property.", own), {"analytics.journey.id": "journey-1"})
        said = [each["properties"] for each in telemetry.events]
    assert ("trip-4711" in str(said)) is (mode is IdentityMode.IDENTIFIED)
    assert (said[-1].get("journey_id") == "journey-1") is (mode is IdentityMode.IDENTIFIED)
    assert mode is not IdentityMode.UNLINKED or "journey_id" not in said[-1]
    if mode is not IdentityMode.IDENTIFIED:
        assert telemetry.health.actions()["id_key", "removed"] >= 4


def test_deeper_in_a_value_a_name_is_the_apps_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostHog acts on names at the first level alone: what is nested, in a map or a list, is data like any other."""
    deep = {"trace_url": "seen", "$lib": "seen", "$set": "seen", "trace_sampled": True}
    given = {"form": deep, "forms": [deep], "$set": {"form": deep}}
    with Telemetry() as telemetry:
        telemetry.use_for_capture(monkeypatch)
        capture("e", given, distinct_id="u-4711")
        group_identify("company", "acme-4711", {"form": deep})
        said, group = (each["properties"] for each in telemetry.events)
    assert {key: said[key] for key in given} == given
    assert group["$group_set"] == {"form": deep}


def test_what_would_leave_is_told_without_them() -> None:
    """`sanitize_properties` says of these names what the pipeline does."""
    assert sanitize_properties(OWN_LIES) == {"note": "stays"}


def stages(policy: Policy) -> Stages:
    """Return the stages under `policy`."""
    health, made = Health(), Pseudonyms(keys=ring())
    return Stages(
        policy, installation_id="i-1", health=health, guard=Guard(health), pseudonyms=made, limits=Limits(policy)
    )


@pytest.mark.parametrize("name", sorted({*OWN, "journey_id"}))
def test_by_plan_as_the_plain_way(name: str) -> None:
    """The same bytes for the resource, the span, the item's telemetry and its properties, in two modes at once."""
    policy = Policy(
        destinations=(Destination("a", "phc_a"), Destination("b", "phc_b", identity=IdentityMode.IDENTIFIED)),
        privacy=PrivacyPolicy(allow=PrivacyPolicy().allow | {name}),
    )
    planned, plain = stages(policy), stages(policy)
    for way in ("resource", "parent", "telemetry", "property", "short", "set"):
        prefix = {"property": "analytics.property.", "short": "analytics.", "set": "analytics.user.set."}.get(way, "")
        lie = {f"{prefix}{name}": LIE}
        own = {"analytics.property.note": "text"} | ({} if way in {"resource", "parent"} else lie)
        signal = Signal(Source.LOG, "e", own, TIME_NS, 7, 8, lie if way == "resource" else {})
        signal = signal._replace(parent=lie if way == "parent" else {})
        for _ in range(3):
            outcomes = plain.outcomes(signal)
            assert planned.cleaned(signal)[0] == [each.clean for each in outcomes]
        for each in outcomes:
            assert each.clean is not None
            is_sent = name == "journey_id" and each.destination is policy.destinations[1] and way != "set"
            assert (LIE in each.clean.body.decode()) is is_sent, (way, each.clean)


def test_at_the_gateway(tmp_path: Path) -> None:
    """What other languages say of events, persons and groups, in protobuf and in JSON, and of their resource."""
    policy = f"trace_url: '{LINK}'\nidentity: identified\ndelivery: {{flush_interval_s: 0.05}}\n"
    allowed = json.dumps(sorted(PrivacyPolicy().allow | {*NAMES}))
    (tmp_path / "policy.yaml").write_text(f"{policy}privacy: {{allow: {allowed}}}\n", "utf-8")
    said = {
        **attributes("analytics.property.", OWN_LIES),
        **attributes("analytics.user.set.", LIES),
        **attributes("analytics.user.set_once.", LIES),
        **attributes("analytics.group.set.company.", LIES),
        "analytics.group.company": "acme-4711",
        "analytics.user.id": "u-4711",
    }
    with (
        FakePostHog() as posthog,
        gateway("--policy", str(tmp_path / "policy.yaml"), posthog=posthog.url, directory=tmp_path) as made,
    ):
        for number, media_type in enumerate((PROTOBUF, JSON)):
            logs = logs_request(f"e{number}", **{key.replace(".", "__"): value for key, value in said.items()})
            for name in NAMES:
                logs.resource_logs[0].resource.attributes.add(key=name).value.string_value = LIE
            body: Any = json.dumps(as_json(logs)).encode() if media_type == JSON else logs.SerializeToString()
            assert made.post("/v1/logs", body, media_type)[0] == 200
        posthog.wait_until(lambda: len(posthog.events) == 4, 60)
    for event in posthog.events:
        assert list(lies(event.properties)) == []
        assert LIE not in str(event.properties)
        part = event.properties["$group_set"] if event.event == "$groupidentify" else event.properties["$set_once"]
        assert part["note"] == "stays"


def test_through_the_bridge() -> None:
    """What an app says to posthog-python, call by call, and once for all of its events."""

    def app() -> None:
        posthog_python.capture("paid", distinct_id="u-4711", properties={**OWN_LIES, "$set": LIES, "$set_once": LIES})
        posthog_python.set(distinct_id="u-4711", properties=LIES)
        posthog_python.set_once(distinct_id="u-4711", properties=LIES)
        posthog_python.group_identify("company", "acme-4711", LIES)
        with posthog_python.new_context():
            for name in OWN:
                posthog_python.tag(name, LIE)
            posthog_python.capture("tagged", distinct_id="u-4711", properties={"note": "stays"})

    # Of a group these are posthog-python's own words, which would take the place of what the call says.
    everywhere = {name: value for name, value in OWN_LIES.items() if not name.startswith("$group_")}
    events = with_the_bridge(app, super_properties=everywhere)
    assert PERMISSIVE.identity is IdentityMode.IDENTIFIED
    assert len(events) == 5
    for event in events:
        assert list(lies(event.properties)) == []
        assert LIE not in str(event.properties)
        assert "stays" in str(event.properties)
