"""Types never change: what may not go on as it is goes as a text, a number, a list with its type, or with its key."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from otlp_everything import REQUESTS, filled
from planted_values import LOOK_ALIKES, MAKERS, in_text

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.operational.otlp import OtlpFilter
from otel_posthog.operational.otlp_values import read_value, write_value
from otel_posthog.policy import OperationalPolicy, Policy
from otel_posthog.privacy import Filter

_OWN = Policy(operational=OperationalPolicy(user_keys=frozenset({"customer.ref"}), user_key_prefixes=("person.",)))
REDACTOR = Redactor(_OWN.operational, Filter(_OWN.operational_privacy), Guard(Health()))
FILTER = OtlpFilter(REDACTOR, Guard(Health()))

CARD, PHONE, NATIONAL_ID, EPOCH_US = 4111111111111111, 4915123456789, 52998224725, 1_790_000_000_123_456
KEYS = ("note", "size_bytes", "password", "phone", "card_number", "pin.count", "customer.ref", "person.age", "user_id",
        "location.x", "location.y", "lat", "name", "value", "body")  # fmt: skip


def _scalars() -> Iterator[Any]:
    dice = Random("types")
    yield from (CARD, float(CARD), PHONE, float(PHONE), NATIONAL_ID, EPOCH_US, 2.29448, 48.85837, 0, -1, 2.5, 2**63 - 1)
    yield from (True, False, "", "password", "--password", "2.29448", b"", b"to ada@example.com", b"\xff\x00")
    yield '{"card": 4111111111111111, "pin": 1234, "at": [48.85837, 2.29448]}'
    yield from (in_text(kind, make(dice)) for kind, make in MAKERS.items())
    yield from (make(dice) for make in LOOK_ALIKES.values())


def _values() -> list[Any]:
    """Return a value of each kind, alone, in lists of one type, and in maps and lists that mix them."""
    scalars = list(_scalars())
    lists = [[7, CARD, 8], [CARD], [0.5, float(CARD)], [48.85837, 2.29448], [True, False], ["a", "ada@example.com"]]
    pairs = [["password", 1234], ["--password", 1234, 7], [["password", 1234], ["a", 1]], [["pin", b"1"], ["n", True]]]
    maps = [dict.fromkeys(KEYS, each) for each in (CARD, 48.85837, True, b"x", "x", [CARD], {"deep": CARD})]
    deep: Any = CARD
    for _ in range(12):
        deep = {"in": [deep, "ada@example.com", 1]}
    each_in = [holder for each in scalars for holder in ([each, each], {"a": each, "ada@example.com": each})]
    return [*scalars, *lists, *pairs, *maps, deep, *each_in, {"name": "password", "value": 1234}]


def _read(value: Any) -> Any:
    message = AnyValue()
    write_value(message, value)
    return read_value(message)


VALUES = [_read(each) for each in _values()]


def _kept(given: object, left: object) -> bool:
    """Return whether `left` has the type of `given`, and in a list or map each value that of one that was there."""
    if type(given) is not type(left):
        return False
    if isinstance(given, Mapping) and isinstance(left, Mapping):
        same = all(_kept(given[key], left[key]) for key in left if key in given)
        return same and {type(each) for each in left.values()} <= {type(each) for each in given.values()}
    if isinstance(given, (list, tuple)) and isinstance(left, (list, tuple)):
        if len(given) == len(left):
            return all(map(_kept, given, left))
        return {type(each) for each in left} <= {type(each) for each in given}
    return True


@pytest.mark.parametrize("key", KEYS)
def test_an_attribute_keeps_its_type_or_goes(key: str) -> None:
    """For every kind of value under every kind of key, also with the other half of a place beside it."""
    for value in VALUES:
        for beside in ({}, {"location.x": 2.29448, "location.y": 48.85837, "name": "password"}):
            given = {**beside, key: value}
            left = REDACTOR.attributes(given)
            assert all(_kept(given[each], left[each]) for each in left), (value, left)
            body = REDACTOR.value(key, value)
            assert _kept({"body": value}, REDACTOR.attributes({"body": value}))
            assert isinstance(body, type(value)) or type(body) is object


@pytest.mark.parametrize("request_type", REQUESTS)
def test_a_value_keeps_its_type_or_goes_in_every_field_of_otlp(request_type: type[Message]) -> None:
    """Attributes of items, scopes and resources, exemplars, bodies, metadata: wherever a value stands."""
    number = itertools.count()
    request = filled(request_type(), lambda _path: f"w{'bcdfghjklm'[next(number) % 10]}")
    values, places = itertools.cycle(VALUES), 0
    for message in _messages(request):
        for field in message.DESCRIPTOR.fields:
            held = getattr(message, field.name)
            if field.message_type is KeyValue.DESCRIPTOR and field.is_repeated:
                del held[:]
                held.add(key="place").value.int_value = places
                for at, value in enumerate(itertools.islice(values, len(VALUES))):
                    write_value(held.add(key=f"{KEYS[(at + places) % len(KEYS)]}.n{at}").value, value)
                places += 1
            elif field.message_type is AnyValue.DESCRIPTOR:
                write_value(held, next(values))
    assert places > 5
    before = type(request).FromString(request.SerializeToString())
    list(FILTER.clean(request))
    assert CARD not in _numbers(request)
    assert {CARD, float(CARD)} <= _numbers(before)
    for was, now in zip(_messages(before), _messages(request), strict=True):
        for field in was.DESCRIPTOR.fields:
            old, new = getattr(was, field.name), getattr(now, field.name)
            if field.message_type is KeyValue.DESCRIPTOR and field.is_repeated:
                given = {pair.key: read_value(pair.value) for pair in old}
                left = {pair.key: read_value(pair.value) for pair in new if pair.key in given}
                assert all(_kept(given[key], each) for key, each in left.items()), left
                assert left["place"] == given["place"]
            elif field.message_type is AnyValue.DESCRIPTOR:
                assert not new.WhichOneof("value") or _kept(read_value(old), read_value(new))


def _messages(message: Any) -> Iterator[Any]:
    """Yield `message` and those in it, but for attributes and values."""
    yield message
    for field in message.DESCRIPTOR.fields:
        if field.message_type in {KeyValue.DESCRIPTOR, AnyValue.DESCRIPTOR} or field.message_type is None:
            continue
        held = getattr(message, field.name)
        for each in held if field.is_repeated else (held,) if message.HasField(field.name) else ():
            yield from _messages(each)


def _numbers(message: Any) -> set[float]:
    """Return all numbers of values in `message`."""
    if message.DESCRIPTOR is AnyValue.DESCRIPTOR and message.WhichOneof("value") in {"int_value", "double_value"}:
        return {message.int_value or message.double_value}
    found = set[float]()
    for field, value in message.ListFields():
        if field.message_type is not None:
            found.update(*(_numbers(each) for each in (value if field.is_repeated else (value,))))
    return found
