"""An event's uuid: the same on every delivery, another for every event."""

from __future__ import annotations

import uuid

from translated import TIME_NS, only, signal

from otel_posthog.model import Source


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
    assert ulid == only(signal({"log.record.uid": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, time_ns=TIME_NS + 1)).uuid
    notes: list[str] = []
    assert uuid.UUID(only(signal({"analytics.uuid": "nope"}), notes).uuid).version == 5
    assert notes == ["uuid_invalid"]


def test_items_that_bear_one_given_timestamp_are_still_different_events() -> None:
    """An app may date several items alike; the telemetry's own times tell them apart."""
    stamped = {"analytics.timestamp": TIME_NS}
    assert len({only(signal(stamped, time_ns=TIME_NS + n)).uuid for n in range(3)}) == 3


def test_no_separator_in_a_name_makes_two_events_one() -> None:
    """Parts of the hash cannot run into each other."""
    one = signal(name=f"e{TIME_NS}", time_ns=10**17 + 1)
    other = signal(name="e", time_ns=int(f"{TIME_NS}"))
    assert only(one).uuid != only(other).uuid
    assert only(signal(name="a\x1f1")).uuid != only(signal(name="a")).uuid


def test_the_derived_uuid_is_this_one() -> None:
    """Another release must give old telemetry the same uuid, or what is delivered again counts twice."""
    assert only(signal()).uuid == "443060d3-44f1-53b6-8a6f-2c68eb3dbf0b"
    assert only(signal({"log.record.uid": "01ARZ3NDEKTSV4RRFFQ69G5FAV"})).uuid == "7b5a9a0a-b2e7-54b5-97fe-3272e1348bb2"
    log = signal(source=Source.LOG, trace_id=0, span_id=0, observed_time_ns=7, resource={"service.name": "shop"})
    assert only(log).uuid == "dbf29b97-2e95-5067-9232-e238c77d9985"


def test_a_name_that_is_no_utf8_has_a_uuid_too() -> None:
    """A lone surrogate in a name or a record's id is no reason to lose the event."""
    assert only(signal(name="a\ud800")).uuid != only(signal(name="a\ud801")).uuid
    assert only(signal({"log.record.uid": "\udfff"})).uuid
