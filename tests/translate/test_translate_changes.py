"""Several events from one item: what it says of persons and groups."""

from __future__ import annotations

from typing import Any

import pytest
from translated import events, only, signal

from otel_posthog.errors import DropEvent
from otel_posthog.model import ContextIdentity, EventKind, GroupUpdate, Source

EVERYTHING: dict[str, Any] = {
    "analytics.priority": "high",
    "analytics.user.id": "u1",
    "analytics.user.alias": "visitor-1",
    "analytics.user.set.plan": "pro",
    "analytics.group.company": "acme",
    "analytics.group.set.company.size": 5,
    "analytics.group.set.company.plan.name": "gold",
    "analytics.group.team": "blue",
    "http.route": "/t",
}
COMPANY = GroupUpdate("company", "acme", {"size": 5, "plan.name": "gold"})


def test_one_item_is_an_event_an_alias_and_a_group_update() -> None:
    """Each says its own part; only the item's own event carries properties and telemetry."""
    own, alias, group = events(signal(EVERYTHING))
    assert (own.name, own.kind, own.group) == ("ticket_created", EventKind.PRODUCT, None)
    assert (own.properties, own.telemetry) == ({"priority": "high"}, {"http.route": "/t"})
    assert own.subject.person_set == {"plan": "pro"}
    assert (alias.name, alias.kind, alias.group) == ("$create_alias", EventKind.ALIAS, None)
    assert (alias.subject.user_id, alias.subject.alias) == ("u1", "visitor-1")
    assert (group.name, group.kind, group.group) == ("$groupidentify", EventKind.GROUP_IDENTIFY, COMPANY)
    for change in (alias, group):
        assert (change.properties, change.telemetry, change.subject.person_set) == ({}, {}, {})
        assert (change.time_ns, change.trace_id, change.span_id) == (own.time_ns, own.trace_id, own.span_id)


def test_the_events_of_one_item_have_uuids_of_their_own_the_same_every_time() -> None:
    """Another order of the attributes changes nothing, and a given uuid is the first event's."""
    first = [each.uuid for each in events(signal(EVERYTHING))]
    again = [each.uuid for each in events(signal(dict(reversed(EVERYTHING.items()))))]
    assert first == again
    assert len(set(first)) == 3
    given = "018f3c5e-7b2a-7cc0-8000-000000000001"
    own, *others = (each.uuid for each in events(signal({**EVERYTHING, "analytics.uuid": given})))
    assert own == given
    assert not {own, *first}.intersection(others)


@pytest.mark.parametrize(
    ("name", "attributes", "kinds"),
    [
        ("$identify", {"analytics.user.id": "u1"}, [EventKind.IDENTIFY]),
        ("$set", {"analytics.user.set.plan": "pro"}, [EventKind.SET]),
        ("$set_once", {"analytics.user.set_once.source": "ads"}, [EventKind.SET_ONCE]),
        ("$create_alias", {"analytics.user.id": "u1", "analytics.user.alias": "v"}, [EventKind.ALIAS]),
        ("$groupidentify", {"analytics.group.company": "acme"}, [EventKind.GROUP_IDENTIFY]),
        (
            "$groupidentify",
            {"analytics.group.company": "acme", "analytics.user.set.plan": "pro"},
            [EventKind.GROUP_IDENTIFY, EventKind.SET],
        ),
        ("product", {}, [EventKind.PRODUCT]),
        ("$pageview", {}, [EventKind.PRODUCT]),
    ],
)
def test_posthogs_own_names_say_what_an_item_does(
    name: str, attributes: dict[str, Any], kinds: list[EventKind]
) -> None:
    """An item named like a change of PostHog's is that change; the first event has the item's uuid."""
    given = "018f3c5e-7b2a-7cc0-8000-000000000001"
    found = events(signal({**attributes, "analytics.uuid": given}, name=name, source=Source.LOG))
    assert [each.kind for each in found] == kinds
    assert found[0].uuid == given
    assert [each.name for each in found[:1]] == [name]


@pytest.mark.parametrize(
    ("name", "attributes", "notes"),
    [
        ("$set", {"analytics.user.id": "u1"}, ["nothing_to_set"]),
        ("$set_once", {"analytics.user.id": "u1"}, ["nothing_to_set"]),
        ("$create_alias", {"analytics.user.id": "u1"}, ["alias_invalid"]),
        ("$create_alias", {"analytics.user.alias": "v"}, ["alias_without_user"]),
        ("$create_alias", {"analytics.user.alias": 1.5, "analytics.user.id": "u1"}, ["alias_invalid", "alias_invalid"]),
        ("$groupidentify", {"analytics.user.id": "u1"}, ["group_without_key"]),
    ],
)
def test_a_change_that_says_nothing_is_no_event(name: str, attributes: dict[str, Any], notes: list[str]) -> None:
    """It is dropped, and what was missing is counted."""
    told: list[str] = []
    with pytest.raises(DropEvent) as caught:
        events(signal(attributes, name=name), told)
    assert caught.value.reason == "no_change"
    assert told == notes


@pytest.mark.parametrize(
    ("attributes", "note"),
    [
        ({"analytics.user.alias": "v"}, "alias_without_user"),
        ({"analytics.user.alias": "u1", "analytics.user.id": "u1"}, "alias_invalid"),
        ({"analytics.group.set.company.size": 5}, "group_without_key"),
        ({"analytics.group.set.company": 5}, "key_invalid"),
        ({"analytics.group.set..size": 5}, "key_invalid"),
        ({"analytics.group.set.company.size": 5, "analytics.group.company": ["acme"]}, "group_key_invalid"),
    ],
)
def test_a_change_that_cannot_be_made_is_counted_and_the_event_goes_on(attributes: dict[str, Any], note: str) -> None:
    """What is missing for an alias or a group costs that change only."""
    notes: list[str] = []
    assert only(signal(attributes), notes).kind is EventKind.PRODUCT
    assert notes[0] == note


def test_a_groups_key_may_come_from_the_span_or_the_context() -> None:
    """A span event may set properties of the group that its span names, or that the user is in."""
    set_size = {"analytics.group.set.company.size": 5}
    from_span = signal(set_size, source=Source.SPAN_EVENT, parent={"analytics.group.company": "acme"})
    from_context = signal(set_size, context=ContextIdentity(groups={"company": "acme"}))
    for given in (from_span, from_context):
        assert events(given)[1].group == GroupUpdate("company", "acme", {"size": 5})


def test_a_group_identify_is_about_its_own_groups_only() -> None:
    """Groups that the context puts the user into are not touched by a call that names another."""
    context = ContextIdentity(groups={"team": "blue"})
    found = events(signal({"analytics.group.company": "acme"}, name="$groupidentify", context=context))
    assert [each.group for each in found] == [GroupUpdate("company", "acme", {})]


def test_several_groups_are_several_updates_with_uuids_of_their_own() -> None:
    """One event for each group, in an order that does not depend on the attributes'."""
    attributes = {
        "analytics.group.set.team.size": 2,
        "analytics.group.set.company.size": 5,
        "analytics.group.team": "blue",
        "analytics.group.company": "acme",
    }
    found = events(signal(attributes, name="$groupidentify"))
    assert [each.group and each.group.type for each in found] == ["company", "team"]
    assert len({each.uuid for each in found}) == 2
