"""The uids of log records without one: another for each record, the same for the same record, and they tell nothing."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

from gateway import as_json, logs_request
from hypothesis import given
from hypothesis import strategies as st

from otel_posthog.intake.otlp import CONTENT_UID, LogRecord, RecordUids
from otel_posthog.intake.otlp_json import read as read_json
from otel_posthog.intake.otlp_proto import LOGS, read

KEY = b"k" * 32
RECORD = LogRecord("analytics.e", {"analytics.n": 1, "user.id": "u-1"}, "body", 5, 6, 7, 8, {"service.name": "shop"})
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(), inner)
)


def uid(record: LogRecord, key: bytes = KEY) -> str:
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


@given(st.dictionaries(st.text(), _values), _values, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_a_uid(
    attributes: dict[str, object], body: object, dice: random.Random
) -> None:
    """Whoever passes a record on may keep its attributes in another order, on every level."""

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            keys = list(value)
            dice.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return tuple(map(shuffled, value)) if isinstance(value, tuple) else value

    one = RECORD._replace(attributes=attributes, body=body)
    other = RECORD._replace(attributes=shuffled(attributes), body=shuffled(body))  # type: ignore[arg-type]
    assert uid(one) == uid(other)


def test_a_log_record_has_the_same_uid_in_both_encodings() -> None:
    """Whichever the sender comes again with."""
    request = logs_request("e", analytics__x="ä\u2028{\U0001fae8}")
    value = request.resource_logs[0].scope_logs[0].log_records[0].attributes.add(key="deep").value
    value.kvlist_value.values.add(key="b").value.double_value = 1
    value.kvlist_value.values.add(key="a").value.bytes_value = b"\xff"
    (one,), (other,) = read(request, LOGS), read_json(json.loads(json.dumps(as_json(request))))
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


def test_a_uid_of_the_record_s_own_is_left_alone() -> None:
    """The sender has told records apart; what is no text is none."""
    assert uid(RECORD._replace(attributes={"log.record.uid": "01ARZ3NDEKTSV4RRFFQ69G5FAV"})) == ""
    assert uid(RECORD._replace(attributes={"log.record.uid": 7})) != ""


def test_who_does_not_know_the_key_cannot_tell_what_was_in_a_record() -> None:
    """Another key makes other uids, of what comes stamped too, and none is a hash without a key."""
    stamped = RECORD._replace(attributes={"log.record.uid": f"{CONTENT_UID}{'a' * 64}"})
    for record in (RECORD, stamped):
        assert uid(record) != uid(record, b"j" * 32)
    assert uid(stamped) != hashlib.sha256(f"{CONTENT_UID}{'a' * 64}".encode()).hexdigest()


def test_the_uid_is_this_one() -> None:
    """Another release, and another Python, must make the same, or what is delivered again counts twice."""
    record = RECORD._replace(body={"b": "ä\U0001fae8\ud800", "a": (1, 0.1)})
    assert uid(record) == "dd61100fb44357b2393a6d0e6f99e2c6b04e7703244332bd12cf7354567f4ee8"
