"""An encoded event: the exact bytes, who wins over whom, and what is refused."""

from __future__ import annotations

import json

import pytest

from otel_posthog.errors import DropEvent
from otel_posthog.model import Event, Person, Receipt, Source, Subject
from otel_posthog.posthog.encoding import encode_event

EVENT = Event(
    name="never read",
    uuid="0192e5a0-0000-7000-8000-000000000001",
    time_ns=1_732_412_345_000_000_999,
    properties={"never": "read"},
    telemetry={"never": "read"},
    subject=Subject(user_id="never read"),
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="b7ad6b7169203331",
    source=Source.SPAN,
)
ANONYMOUS = Person("install-1", has_profile=False)


def encoded(
    properties: dict[str, object], *, person: Person = ANONYMOUS, name: str = "paid", limit: int = 10_000
) -> dict[str, object]:
    """Return what a reader of the encoded bytes sees."""
    clean = encode_event(EVENT, person, name, properties, destination="default", max_event_bytes=limit)
    assert clean.uuid == EVENT.uuid
    read = json.loads(clean.body)
    assert isinstance(read, dict)
    return read


def test_the_bytes_are_exactly_these() -> None:
    """One Capture V1 event, keys in order, microseconds always written, compact, UTF-8 as it is."""
    person = Person(
        "u1", has_profile=True, properties={"$window_id": "w-1", "$session_id": "s-1", "$set": {"plan": "pro"}}
    )
    clean = encode_event(
        EVENT, person, "bezahlt für", {"größe": 1, "ok": True}, destination="vendor", max_event_bytes=10_000
    )
    assert clean.destination == "vendor"
    assert clean.body.decode() == (
        '{"event":"bezahlt für","uuid":"0192e5a0-0000-7000-8000-000000000001","distinct_id":"u1",'
        '"timestamp":"2024-11-24T01:39:05.000000+00:00",'
        '"options":{"disable_skew_correction":true,"process_person_profile":true},'
        '"properties":{"größe":1,"ok":true,"$set":{"plan":"pro"},"$trace_id":"0af7651916cd43dd8448eb211c80319c",'
        '"$span_id":"b7ad6b7169203331","trace_sampled":true,"$geoip_disable":true},"session_id":"s-1","window_id":"w-1"}'
    )


def test_identity_wins_over_what_an_app_has_put_there() -> None:
    """Reserved names of the app are left out, and what is ours overwrites what is not."""
    read = encoded(
        {"$set": {"x": 1}, "$session_id": "app", "$window_id": "app", "distinct_id": "app", "$geoip_disable": False,
         "$lib": "x", "a": 1, "$trace_id": "app", "plan": "app"},
        person=Person("p", has_profile=False, properties={"plan": "ours"}),
    )  # fmt: skip
    assert read["properties"] == {
        "a": 1, "plan": "ours", "$trace_id": EVENT.trace_id, "$span_id": EVENT.span_id,
        "trace_sampled": True, "$geoip_disable": True,
    }  # fmt: skip
    assert not {"session_id", "window_id"} & set(read)
    assert read["distinct_id"] == "p"
    assert read["options"] == {"disable_skew_correction": True, "process_person_profile": False}


def test_a_lone_surrogate_cannot_poison_a_batch() -> None:
    """What UTF-8 cannot say becomes the replacement character, in names, keys and values."""
    read = encoded({"k\ud800": "v\udfff"}, name="n\ud800")
    assert read["event"] == "n\ufffd"
    assert dict(read["properties"])["k\ufffd"] == "v\ufffd"  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["", "x" * 201, "ü" * 101])
def test_a_name_that_posthog_would_refuse_is_dropped_here(name: str) -> None:
    """Names are 1-200 UTF-8 bytes."""
    with pytest.raises(DropEvent, match="name_invalid"):
        encoded({}, name=name)
    assert encoded({}, name="ü" * 100)


def test_an_event_over_the_limit_loses_its_largest_properties() -> None:
    """As few as make it fit, named in the receipt; what is left is what it was."""
    properties: dict[str, object] = {"small": 1, "large": "ü" * 300, "largest": "x" * 1000, "middle": [1] * 50}
    limit = len(encode_event(EVENT, ANONYMOUS, "n", properties, destination="d", max_event_bytes=10_000).body)
    assert encoded(properties, name="n", limit=limit)["properties"] == encoded(properties, name="n")["properties"]
    for over, gone in ((1, ["largest"]), (1500, ["largest", "large"]), (1700, ["largest", "large", "middle"])):
        receipt = Receipt()
        body = encode_event(
            EVENT, ANONYMOUS, "n", properties, destination="d", max_event_bytes=limit - over, receipt=receipt
        ).body
        assert len(body) <= limit - over
        assert set(properties) - set(json.loads(body)["properties"]) == set(gone)
        assert receipt.entries == [(key, "max_event_bytes", "removed") for key in gone]


def test_an_event_that_is_too_large_without_properties_is_dropped() -> None:
    """The limit counts the bytes of the encoded event; who it is about is not cut."""
    size = len(encode_event(EVENT, ANONYMOUS, "n", {}, destination="d", max_event_bytes=10_000).body)
    assert encoded({}, name="n", limit=size)
    with pytest.raises(DropEvent, match="too_large"):
        encoded({"a": 1}, name="n", limit=size - 1)


@pytest.mark.parametrize("name", ["$identify", "$create_alias", "$merge_dangerously", "$groupidentify", "$set"])
def test_a_person_event_without_a_person_is_dropped(name: str) -> None:
    """An app cannot reach a person through the event's name when identity gives the event none."""
    with pytest.raises(DropEvent, match="person_event"):
        encoded({}, name=name)
    assert encoded({}, name=name, person=Person("p", has_profile=True))


def test_an_impossible_time_is_dropped() -> None:
    """A time beyond the calendar names its own reason."""
    late = Event("n", EVENT.uuid, 10**30, {}, {}, Subject(), None, None, Source.LOG)
    with pytest.raises(DropEvent, match="time_invalid"):
        encode_event(late, ANONYMOUS, "n", {}, destination="d", max_event_bytes=1000)


def test_what_is_not_json_is_raised_not_sent() -> None:
    """A value that slipped past the filter fails closed."""
    with pytest.raises(ValueError, match="JSON"):
        encoded({"x": float("nan")})
    with pytest.raises(TypeError):
        encoded({"x": object()})
