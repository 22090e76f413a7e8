"""Signals become events: names, times, uuids, properties, who."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from otel_posthog.errors import DropEvent
from otel_posthog.model import ContextIdentity, Event, Signal, Source
from otel_posthog.translate import translate

TIME_NS = 1_764_000_000_123_456_789


def signal(attributes: dict[str, Any] | None = None, **changes: Any) -> Signal:
    """Return a signal of a span, with `changes`."""
    given: dict[str, Any] = {"source": Source.SPAN, "name": "ticket_created", "time_ns": TIME_NS}
    return Signal(attributes=attributes or {}, **{**given, "trace_id": 0xABC, "span_id": 0xDEF, **changes})


def only(given: Signal, notes: list[str] | None = None) -> Event:
    """Return the one event that `given` becomes."""
    (event,) = translate(given, (notes if notes is not None else []).append)
    return event


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
                "analytics.group.set.company.size": 5,
                "analytics.user.alias": "old",
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


@pytest.mark.parametrize(
    "key",
    ["analytics.user.id", "user.id", "enduser.id", "enduser.pseudo.id", "posthogDistinctId", "posthog.distinct_id"],
)
def test_each_user_key_says_who(key: str) -> None:
    """Every attribute that the field uses for the user is read."""
    assert only(signal({key: "u1"})).subject.user_id == "u1"


def test_the_order_of_the_user_keys_is_the_vocabularys() -> None:
    """Our own key wins over the semantic conventions', those over the context's identity."""
    context = ContextIdentity(user_id="context", session_id="s")
    both = signal({"user.id": "semconv", "analytics.user.id": "ours"}, context=context)
    assert only(both).subject.user_id == "ours"
    assert only(signal({"user.id": "semconv"}, context=context)).subject.user_id == "semconv"
    assert only(signal({}, context=context)).subject.user_id == "context"
    assert only(signal({"user.id": " "}, context=context)).subject.user_id == "context"


def test_a_span_event_inherits_who_and_where_from_its_span() -> None:
    """What a span event does not say of itself, its span says; its span's own properties stay the span's."""
    parent = {"analytics.user.id": "u1", "analytics.priority": "high", "http.route": "/t", "analytics.consent": False}
    event = only(signal({"analytics.step": 2}, source=Source.SPAN_EVENT, parent=parent))
    assert event.subject.user_id == "u1"
    assert event.subject.consent is False
    assert event.properties == {"step": 2}
    assert event.telemetry == {"http.route": "/t"}


@pytest.mark.parametrize(
    ("said", "context", "meant"),
    [
        (None, None, None),
        (True, None, True),
        ("granted", None, True),
        (False, True, False),
        ("no", None, False),
        ("perhaps", None, False),
        (True, False, False),
        (None, True, True),
    ],
)
def test_a_denial_anywhere_wins(said: object, context: bool | None, meant: bool | None) -> None:
    """Consent is what both say, and what is not plainly a yes is a no."""
    attributes = {} if said is None else {"analytics.consent": said}
    assert only(signal(attributes, context=ContextIdentity(consent=context))).subject.consent is meant


def test_a_uuid_is_the_same_on_every_delivery_and_differs_for_every_item() -> None:
    """The derived uuid depends on trace, span, name, time and repeat, and on nothing else."""
    same = {only(signal({"analytics.n": n})).uuid for n in range(3)}
    assert len(same) == 1
    variants = [
        signal(),
        signal(name="other"),
        signal(time_ns=TIME_NS + 1),
        signal(span_id=1),
        signal(trace_id=1),
        signal(repeat_index=1),
    ]
    assert len({only(each).uuid for each in variants}) == len(variants)


def test_two_log_lines_of_one_microsecond_are_two_events() -> None:
    """Log records of one span, name and time differ by when they were observed; outside a trace by the process too."""
    ids = {only(signal(source=Source.LOG, observed_time_ns=n)).uuid for n in range(3)}
    assert len(ids) == 3
    homeless = [signal(source=Source.LOG, trace_id=0, span_id=0, resource={"process.pid": n}) for n in range(3)]
    assert len({only(each).uuid for each in homeless}) == 3


def test_a_given_uuid_is_taken_lowercase_and_a_bad_one_is_counted() -> None:
    """`analytics.uuid` wins, then `log.record.uid`; what is no uuid is noted and derived instead."""
    given = "018F3C5E-7B2A-7CC0-8000-000000000001"
    assert only(signal({"analytics.uuid": given, "log.record.uid": "x"})).uuid == given.lower()
    assert only(signal({"log.record.uid": given})).uuid == given.lower()
    ulid = only(signal({"log.record.uid": "01ARZ3NDEKTSV4RRFFQ69G5FAV"})).uuid
    assert ulid == only(signal({"log.record.uid": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, time_ns=1)).uuid
    notes: list[str] = []
    assert uuid.UUID(only(signal({"analytics.uuid": "nope"}), notes).uuid).version == 5
    assert notes == ["uuid_invalid"]


@pytest.mark.parametrize(
    ("given", "expected_ns"),
    [
        ("2026-01-02T03:04:05Z", 1_767_323_045 * 10**9),
        ("2026-01-02T04:04:05.5+01:00", 1_767_323_045 * 10**9 + 5 * 10**8),
        ("2026-01-02t03:04:05.123456789012z", 1_767_323_045_123_456_789),
        (1_767_323_045 * 10**9, 1_767_323_045 * 10**9),
    ],
)
def test_a_given_timestamp_is_taken(given: object, expected_ns: int) -> None:
    """RFC 3339 with an offset, or Unix nanoseconds."""
    assert only(signal({"analytics.timestamp": given})).time_ns == expected_ns


@pytest.mark.parametrize(
    "given",
    [
        "yesterday",
        "2026-13-02T03:04:05Z",
        "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05",
        1_767_323_045,
        True,
        1e18,
        5 * 10**18,
    ],
)
def test_a_bad_timestamp_is_counted_and_the_telemetrys_own_is_taken(given: object) -> None:
    """A time that cannot be meant must not misdate the event."""
    notes: list[str] = []
    assert only(signal({"analytics.timestamp": given}), notes).time_ns == TIME_NS
    assert notes == ["timestamp_invalid"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "é" * 101])
def test_a_name_that_posthog_would_refuse_drops_the_event(name: str) -> None:
    """1-200 bytes of UTF-8."""
    with pytest.raises(DropEvent) as caught:
        only(signal(name=name))
    assert caught.value.reason == "name_invalid"


def test_a_name_of_exactly_200_bytes_passes() -> None:
    """The limit itself is allowed."""
    assert only(signal(name="é" * 100)).name == "é" * 100
