"""The uids of log records without one: another for each record, the same for the same record, and they tell nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from gateway import TIME_NS, as_json, logs_request

from otel_posthog.intake.otlp import LogRecord, RecordUids
from otel_posthog.intake.otlp.json_document import read_document
from otel_posthog.intake.otlp.protobuf import LOGS, read_request
from otel_posthog.intake.signals import record_signals
from otel_posthog.policy import Policy
from otel_posthog.recogniser import CONTENT_UID, Recogniser
from otel_posthog.translate import translate

KEY = b"k" * 32
BUILT_IN = Recogniser(Policy())
RECORD = LogRecord("analytics.e", {"analytics.n": 1, "user.id": "u-1"}, "body", 5, 6, 7, 8, {"service.name": "shop"})


def uid(record: LogRecord, key: bytes = KEY) -> bytes:
    """Return the uid of `record`, alone in its request."""
    return RecordUids(key).uid(record, "e")


def test_log_records_that_differ_anywhere_have_uids_of_their_own() -> None:
    """In every field, in every type of value, in every level; outside a trace by their resource too."""
    values: list[Any] = [
        1,
        2,
        1.0,
        True,
        "1",
        "2",
        b"1",
        None,
        (),
        (1,),
        (1, 2),
        ((1,),),
        {},
        {"a": 1},
        {"a": {"b": 1}},
    ]
    others = [RECORD._replace(attributes={"analytics.n": each, "user.id": "u-1"}) for each in values[1:]]
    others += [RECORD._replace(body=each) for each in values]
    others += [RECORD._replace(attributes={**RECORD.attributes, "user.id": f"u-{n}"}) for n in range(2, 7)]
    others += [RECORD._replace(time_ns=9), RECORD._replace(observed_ns=9)]
    others += [RECORD._replace(trace_id=9), RECORD._replace(span_id=9)]
    homeless = [RECORD._replace(trace_id=0, resource={"process.pid": n}) for n in range(3)]
    found = [RECORD, *others, *homeless]
    assert len({uid(each) for each in found}) == len(found)
    assert RecordUids(KEY).uid(RECORD, "other") != uid(RECORD)


def test_a_log_record_has_the_same_uid_in_both_encodings() -> None:
    """Whichever form the sender retries in."""
    request = logs_request("e", analytics__x="ä\u2028{\U0001fae8}")
    value = request.resource_logs[0].scope_logs[0].log_records[0].attributes.add(key="deep").value
    value.kvlist_value.values.add(key="b").value.double_value = 1
    value.kvlist_value.values.add(key="a").value.bytes_value = b"\xff"
    (one,), (other,) = read_request(request, LOGS, BUILT_IN), read_document(json.loads(json.dumps(as_json(request))))
    assert isinstance(one, LogRecord)
    assert isinstance(other, LogRecord)
    assert uid(one) == uid(other)


def test_exact_repeats_in_one_request_are_told_apart_and_the_same_when_it_comes_again() -> None:
    """They are numbered; so are those that a Collector has stamped, whose own content is gone."""
    stamped = RECORD._replace(attributes={"log.record.uid": f"{CONTENT_UID}{'a' * 64}"})
    records = [RECORD, stamped, RECORD, RECORD, stamped]
    first, second = ([uids.uid(each, "e") for each in records] for uids in (RecordUids(KEY), RecordUids(KEY)))
    assert len(set(first)) == len(records)
    assert first == second


@pytest.mark.parametrize("own", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "018f3c5e-7b2a-7cc0-8000-000000000001"])
def test_a_uid_of_the_record_s_own_makes_the_uuid(own: str) -> None:
    """The sender has told records apart, whatever else is in them; but a uid that says who acts makes none."""
    records = [RECORD._replace(attributes={**RECORD.attributes, "log.record.uid": own, "n": n}) for n in range(2)]
    assert len({uuid_of(each) for each in records}) == 1
    somebodys = [each._replace(attributes={**each.attributes, "user.id": own}) for each in records]
    assert len({uuid_of(each) for each in somebodys}) == 2


def uuid_of(record: LogRecord) -> str:
    """Return the uuid of the event that `record` is, alone in its request."""
    (signal,) = record_signals(record._replace(time_ns=TIME_NS), BUILT_IN, RecordUids(KEY))
    (event,) = translate(signal, lambda _: None)
    return event.uuid


def test_who_does_not_know_the_key_cannot_tell_what_was_in_a_record() -> None:
    """Another key makes other uids, of what comes stamped too, and none is a hash without a key."""
    stamped = RECORD._replace(attributes={"log.record.uid": f"{CONTENT_UID}{'a' * 64}"})
    for record in (RECORD, stamped):
        assert uid(record) != uid(record, b"j" * 32)
    assert uid(stamped) != hashlib.sha256(f"{CONTENT_UID}{'a' * 64}".encode()).digest()


def test_the_uid_is_this_one() -> None:
    """Another release, and another Python, must make the same, or what is delivered again counts twice."""
    record = RECORD._replace(body={"b": "ä\U0001fae8\ud800", "a": (1, 0.1)})
    assert uid(record).hex() == "348ee79159e93af6c3645a954439679704ff0e8480d124abb440726edf0ade6e"
