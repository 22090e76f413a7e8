"""Whatever an app calls: what arrives with the bridge and a permissive policy is what arrives without it.

But for fields that `bridged` names, which either library writes in its own way, and what the page names as not kept.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone
from typing import Any

import posthog
import pytest
from bridged import KEY, bridged, policy_for, told
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from posthog.client import Client

import otel_posthog
from otel_posthog.identity.person import ILLEGAL_DISTINCT_IDS
from otel_posthog.posthog.properties import is_reserved
from otel_posthog.testing import FakePostHog
from otel_posthog.testing.fake_posthog import CapturedEvent

FIRST, LAST = datetime(1980, 1, 1), datetime(2090, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

# What JSON cannot say without loss is not sent by either in the same way.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
leaves = (
    st.none()
    | st.booleans()
    | numbers
    | texts
    | st.dates(date(1980, 1, 1))
    | st.uuids()
    | st.decimals(-1000, 1000, places=2)
)
keys = st.text(string.ascii_letters + string.digits + "_- .$é", min_size=1, max_size=12).filter(
    lambda key: not is_reserved(key) and not key.startswith("$exception") and not key.endswith(".")
)
# The oldest SDK refuses lists that mix types.
KEEPS_ALL_LISTS = BoundedAttributes(attributes={"k": [False, 0]}, extended_attributes=True).get("k") is not None
values = st.recursive(
    leaves,
    lambda inner: (
        (st.lists(inner, max_size=3) if KEEPS_ALL_LISTS else st.lists(texts, max_size=3))
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)
properties = st.dictionaries(keys, values, max_size=5)
# Spaces around an id are taken off here.
words = texts.map(str.strip).filter(bool)
ids = (words | st.integers(1, 10**12) | st.uuids()).filter(
    lambda given: str(given).strip().strip("\"'").lower() not in ILLEGAL_DISTINCT_IDS
)
group_types = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8)
groups = st.dictionaries(group_types, words | st.integers(0, 9), max_size=2)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda name: (
        name == name.strip()
        and name not in {"$merge_dangerously", "$unset", "$exception"}
        and len(name.encode()) <= 200
    )
)
moments = st.datetimes(FIRST, LAST, timezones=st.just(timezone.utc) | st.just(timezone(timedelta(hours=5, minutes=30))))
Call = tuple[str, tuple[Any, ...], dict[str, Any]]


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """One call of posthog-python's, with arguments."""
    fixed: dict[str, Any] = {"uuid": str(draw(st.uuids())), "timestamp": draw(moments)}
    method = draw(st.sampled_from(["capture", "set", "set_once", "alias", "group_identify"]))
    if method == "alias":
        one, other = draw(st.lists(ids, min_size=2, max_size=2, unique_by=str))
        return method, (str(one), str(other)), fixed
    if method == "group_identify":
        return method, (draw(group_types), draw(words), draw(properties)), fixed
    fixed |= {"distinct_id": draw(ids), "properties": draw(properties)}
    if method != "capture":
        return method, (), fixed
    if draw(st.booleans()):
        fixed["groups"] = draw(groups)
    for name in draw(st.sets(st.sampled_from(["$set", "$set_once"]))):
        fixed["properties"][name] = draw(properties)
    return method, (draw(names),), fixed


@st.composite
def blocks(draw: st.DrawFn) -> tuple[dict[str, Any], list[Call]]:
    """Calls in a context that says who acts and has tags, or in none."""
    inside = draw(
        st.fixed_dictionaries({}, optional={"who": ids.map(str), "tags": st.dictionaries(keys, values, max_size=2)})
    )
    return inside, draw(st.lists(calls(), min_size=1, max_size=4))


def run(client: Client, given_blocks: list[tuple[dict[str, Any], list[Call]]]) -> list[Any]:
    """Make the calls and return what they return."""
    returned = []
    for inside, made in given_blocks:
        with ExitStack() as stack:
            if inside:
                stack.enter_context(posthog.new_context())
                for name, value in inside.get("tags", {}).items():
                    posthog.tag(name, value)
                if "who" in inside:
                    posthog.identify_context(inside["who"])
            returned += [getattr(client, method)(*args, **fresh(kwargs)) for method, args, kwargs in made]
    return returned


def said(event: CapturedEvent) -> dict[str, Any]:
    """Return what an event says; who identifies a group without an id gets a random one each time."""
    is_random = event.event == "$groupidentify" and UUID.fullmatch(event.distinct_id)
    return {**told(event), **({"distinct_id": "random"} if is_random else {})}


def fresh(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of which posthog-python may change its own copy."""
    return {name: dict(value) if isinstance(value, dict) else value for name, value in kwargs.items()}


@pytest.fixture(scope="module")
def either_way() -> Iterator[Callable[[Any], tuple[list[CapturedEvent], list[CapturedEvent]]]]:
    """Make calls by themselves and with the bridge, and return what arrives; one set-up for all of them."""
    with FakePostHog() as plain, FakePostHog() as ours, bridged(policy_for(ours)) as instrumentor:

        def arrives(given_blocks: Any) -> tuple[list[CapturedEvent], list[CapturedEvent]]:
            instrumentor.uninstrument()
            client = Client(KEY, host=plain.url, sync_mode=True)
            returned = [run(client, given_blocks)]
            instrumentor.instrument()
            returned.append(run(client, given_blocks))
            otel_posthog.flush(10)
            assert returned[0] == returned[1]
            found = plain.events[:], ours.events[:]
            plain.events.clear()
            ours.events.clear()
            return found

        yield arrives


@given(st.lists(blocks(), min_size=1, max_size=2))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_the_same_arrives(either_way: Any, given_blocks: Any) -> None:
    """Names, ids, groups, properties, times, uuids and return values, event by event."""
    uuids = [kwargs["uuid"] for _, made in given_blocks for _, _, kwargs in made]
    assume(len(set(uuids)) == len(uuids))
    plain, ours = either_way(given_blocks)
    by_uuid = [{each.uuid: said(each) for each in events} for events in (plain, ours)]
    assert by_uuid[1] == by_uuid[0]
