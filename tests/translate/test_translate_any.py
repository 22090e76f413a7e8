"""Whatever the attributes are, translating them gives events or a counted drop, and the same ones every time."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from translated import TIME_NS, signal

from otel_posthog.errors import DropEvent
from otel_posthog.model import ContextIdentity, Event, Signal, Source
from otel_posthog.translate import translate

TEXTS = st.text(st.characters(codec=None), max_size=12)  # lone surrogates too
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.just(10**400)
    | st.floats()
    | TEXTS
    | st.binary(max_size=8)
)
NESTED = st.lists(LEAVES, max_size=3) | st.dictionaries(TEXTS | st.integers(), LEAVES, max_size=3)
VALUES = LEAVES | NESTED
KNOWN = [
    "analytics.event",
    "analytics.uuid",
    "analytics.timestamp",
    "analytics.consent",
    "analytics.user.id",
    "analytics.user.alias",
    "analytics.session.id",
    "analytics.group.company",
    "analytics.group.set.company.size",
    "analytics.group.set.company",
    "analytics.group.set.",
    "analytics.user.set.plan",
    "analytics.user.set_once.plan",
    "analytics.property.",
    "analytics.property.n",
    "analytics.exception",
    "analytics.",
    "user.id",
    "posthogDistinctId",
    "log.record.uid",
    "exception.message",
    "service.name",
]
KEYS = st.sampled_from(KNOWN) | TEXTS.map(lambda key: f"analytics.{key}") | TEXTS | st.integers() | st.none()
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=8)
NAMES = TEXTS | st.sampled_from(["$identify", "$set", "$set_once", "$create_alias", "$groupidentify", "exception"])
TIMES = st.integers(min_value=-(10**20), max_value=10**20) | st.just(TIME_NS)
CONTEXTS = st.none() | st.builds(
    ContextIdentity,
    VALUES,
    VALUES,
    st.dictionaries(TEXTS | st.integers(), VALUES, max_size=2),
    st.none() | st.booleans(),
)
SIGNALS = st.builds(
    Signal,
    st.sampled_from(list(Source)),
    NAMES,
    ATTRIBUTES,
    TIMES,
    trace_id=st.sampled_from([0, 1, 2**128 - 1]),
    span_id=st.sampled_from([0, 2**64 - 1]),
    resource=ATTRIBUTES,
    context=CONTEXTS,
    observed_time_ns=TIMES,
    parent=ATTRIBUTES,
    dropped_attributes=st.integers(0, 1),
)


def translated(given_signal: Signal) -> tuple[tuple[Event, ...], list[str]]:
    """Return the events of a signal and what was noted; no events where it was dropped."""
    notes: list[str] = []
    try:
        return translate(given_signal, notes.append), notes
    except DropEvent as drop:
        return (), [*notes, drop.reason]


@given(SIGNALS)
def test_translating_raises_nothing_but_a_drop_and_notes_fixed_reasons(item: Signal) -> None:
    """No attribute of any type gets an error out of it, and no value gets into a reason."""
    found, notes = translated(item)
    assert {*notes} <= {
        "alias_invalid",
        "alias_without_user",
        "attributes_limit",
        "exception_text",
        "group_key_invalid",
        "group_without_key",
        "key_invalid",
        "name_invalid",
        "name_reserved",
        "no_change",
        "nothing_to_set",
        "session_id_invalid",
        "time_invalid",
        "timestamp_invalid",
        "user_id_invalid",
        "uuid_invalid",
        "window_id_invalid",
    }
    assert found or notes


@given(SIGNALS)
def test_the_same_item_has_the_same_events_and_each_a_uuid_of_its_own(item: Signal) -> None:
    """Whatever it holds, and however often it is translated."""
    found, _ = translated(item)
    again, _ = translated(item)
    assert [each.uuid for each in found] == [each.uuid for each in again]
    assert len({each.uuid for each in found}) == len(found)
    assert all(each.uuid == each.uuid.lower() and len(each.uuid) == 36 for each in found)


ITEMS = st.tuples(
    st.sampled_from(["e", "e1", "e\x1f1", "\ud800"]),
    st.integers(TIME_NS, TIME_NS + 2),
    st.integers(1, 2),
    st.integers(0, 2),
    st.integers(0, 1),
)


@given(st.lists(ITEMS, unique=True, max_size=12), st.booleans())
def test_different_items_never_share_a_uuid(items: list[tuple[Any, ...]], is_stamped: bool) -> None:
    """Another name, time, trace, span or repeat is another event, also where the app dates them alike."""
    attributes = {"analytics.timestamp": TIME_NS} if is_stamped else {}
    uuids: set[str] = set()
    for name, time_ns, trace_id, span_id, repeat in items:
        item = signal(attributes, name=name, time_ns=time_ns, trace_id=trace_id, span_id=span_id, repeat_index=repeat)
        found, _ = translated(item)
        uuids.update(each.uuid for each in found)
    assert len(uuids) == len(items)
