"""Signals become events: names, properties, telemetry."""

from __future__ import annotations

import pytest
from translated import only, signal

from otel_posthog.errors import DropEvent
from otel_posthog.model import Source


def test_properties_come_from_the_app_and_telemetry_is_kept_apart() -> None:
    """`analytics.property.x` and `analytics.x` are properties; reserved names and other attributes are not."""
    event = only(
        signal(
            {
                "analytics.event": "ticket_created",
                "analytics.priority": "high",
                "analytics.property.event": "the property called event",
                "analytics.property.priority": "urgent",
                "analytics.user.id": "u1",
                "analytics.user.set.plan": "pro",
                "analytics.user.set_once.source": "ads",
                "analytics.group.company": "acme",
                "http.route": "/tickets",
            },
            resource={"service.name": "helpdesk"},
        )
    )
    assert event.properties == {"priority": "urgent", "event": "the property called event"}
    assert event.telemetry == {"http.route": "/tickets", "service.name": "helpdesk"}
    assert event.subject.user_id == "u1"
    assert event.subject.groups == {"company": "acme"}
    assert (event.subject.person_set, event.subject.person_set_once) == ({"plan": "pro"}, {"source": "ads"})
    assert (event.trace_id, event.span_id) == (f"{0xABC:032x}", f"{0xDEF:016x}")


def test_a_span_event_inherits_who_and_where_from_its_span() -> None:
    """What a span event does not say of itself, its span says; its span's own properties stay the span's."""
    parent = {"analytics.user.id": "u1", "analytics.priority": "high", "http.route": "/t", "analytics.consent": False}
    event = only(signal({"analytics.step": 2}, source=Source.SPAN_EVENT, parent=parent))
    assert event.subject.user_id == "u1"
    assert event.subject.consent is False
    assert event.properties == {"step": 2}
    assert event.telemetry == {"http.route": "/t"}


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "é" * 101])
def test_a_name_that_posthog_would_refuse_drops_the_event(name: str) -> None:
    """1-200 bytes of UTF-8."""
    with pytest.raises(DropEvent) as caught:
        only(signal(name=name))
    assert caught.value.reason == "name_invalid"


def test_a_name_of_exactly_200_bytes_passes() -> None:
    """The limit itself is allowed."""
    assert only(signal(name="é" * 100)).name == "é" * 100


@pytest.mark.parametrize("name", ["$merge_dangerously", "$unset", " $unset "])
def test_a_name_that_changes_persons_unseen_is_refused(name: str) -> None:
    """What merges or empties persons by PostHog's own names has no words here, and so no way out."""
    with pytest.raises(DropEvent) as caught:
        only(signal(name=name))
    assert caught.value.reason == "name_reserved"


@pytest.mark.parametrize(
    "key", [1, None, ("analytics", "x"), "analytics.", "analytics.property.", "analytics.user.set."]
)
def test_a_key_that_names_nothing_is_counted_and_the_rest_goes_on(key: object) -> None:
    """One impossible key costs its own value only."""
    notes: list[str] = []
    attributes: dict[object, object] = {key: "x", "analytics.n": 1}
    assert only(signal(attributes), notes).properties == {"n": 1}  # type: ignore[arg-type]
    assert notes == ["key_invalid"]


def test_attributes_that_the_sdk_evicted_are_counted() -> None:
    """What was lost before anybody could read it is no silence."""
    notes: list[str] = []
    only(signal(dropped_attributes=3), notes)
    assert notes == ["attributes_limit"]


def test_the_nearest_word_of_telemetry_counts() -> None:
    """The item's own attribute before its span's, that before the resource's."""
    parent, resource = {"http.route": "span", "error.type": "span"}, {"http.route": "resource", "os.type": "linux"}
    given = signal({"http.route": "own"}, source=Source.SPAN_EVENT, parent=parent, resource=resource)
    assert only(given).telemetry == {"http.route": "own", "error.type": "span", "os.type": "linux"}
    without = signal({}, source=Source.SPAN_EVENT, parent=parent, resource=resource)
    assert only(without).telemetry["http.route"] == "span"
