"""The store: nothing lost, nothing twice, never above its bound."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from otel_posthog.deliver.store import OVERHEAD_BYTES, MemoryStore
from otel_posthog.model import CleanEvent

Steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 9), st.integers(0, 300)),
        st.tuples(st.just("take"), st.integers(1, 5), st.integers(1, 800)),
        st.tuples(st.just("acknowledge"), st.integers(0, 3), st.just(0)),
    ),
    max_size=60,
)


@given(Steps)
def test_whatever_happens_each_event_comes_out_once_and_in_order(steps: list[tuple[str, int, int]]) -> None:
    """A model of the store: what was accepted comes out once; no uuid stands twice in a batch; the bound holds."""
    store, accepted, taken, owned = MemoryStore(4000), [], [], []
    for step, number, size in steps:
        if step == "put":
            event = CleanEvent(str(number), b"x" * size)
            if store.put(event):
                accepted.append(event)
        elif step == "take":
            batch = store.take(number, size)
            assert len(batch) <= number
            assert len({event.uuid for event in batch}) == len(batch)
            assert len(batch) <= 1 or sum(len(event.body) for event in batch) <= size
            taken.extend(batch)
            owned.append(batch)
        elif owned:
            store.acknowledge(owned.pop(min(number, len(owned) - 1)))
        assert store.size_bytes <= 4000
    while batch := store.take(100, 10**6):
        taken.extend(batch)
        owned.append(batch)
    for batch in owned:
        store.acknowledge(batch)
    assert sorted(map(id, taken)) == sorted(map(id, accepted))
    assert (store.size_bytes, len(store)) == (0, 0)


def test_order_is_kept_but_for_repeats() -> None:
    """A uuid that stands twice goes with the next batch, ahead of what came later."""
    store = MemoryStore(10**6)
    for uuid in ("a", "b", "a", "c", "d"):
        store.put(CleanEvent(uuid, b""))
    assert [event.uuid for event in store.take(3, 10**6)] == ["a", "b", "c"]
    assert [event.uuid for event in store.take(3, 10**6)] == ["a", "d"]


def test_what_is_taken_still_counts_until_it_is_acknowledged() -> None:
    """Memory is bounded by what is held, also while a request is under way."""
    store = MemoryStore(2 * OVERHEAD_BYTES)
    assert store.put(CleanEvent("a", b""))
    assert store.put(CleanEvent("b", b""))
    assert not store.put(CleanEvent("c", b""))
    batch = store.take(10, 10)
    assert not store.put(CleanEvent("c", b""))
    store.acknowledge(batch)
    assert store.put(CleanEvent("c", b""))


def test_one_uuid_for_everything_costs_no_walk_through_the_buffer() -> None:
    """An app that gives every event the same uuid gets batches of one, each found at once and in order."""
    store = MemoryStore(10**9)
    for number in range(1000):
        store.put(CleanEvent("a", b"%d" % number))
    popped: list[CleanEvent] = []

    class Counting(deque[CleanEvent]):
        def popleft(self) -> CleanEvent:
            popped.append(self[0])
            return super().popleft()

    store._events = Counting(store._events)
    assert [store.take(10, 10**6)[0].body for _ in range(3)] == [b"0", b"1", b"2"]
    assert len(popped) <= 3 * 12


def test_one_event_larger_than_a_batch_still_goes() -> None:
    """A limit on a batch's bytes never leaves an event stuck."""
    store = MemoryStore(10**6)
    store.put(CleanEvent("a", b"x" * 5000))
    assert len(store.take(10, 100)) == 1


def test_what_is_discarded_is_counted_once_and_a_late_acknowledgement_changes_nothing() -> None:
    """An opt-out forgets what waits and what is under way; the sender's answer to the latter comes too late."""
    store = MemoryStore(10**6)
    for uuid in ("a", "b", "c"):
        store.put(CleanEvent(uuid, b""))
    batch = store.take(2, 10**6)
    assert store.volatile == 3
    assert store.discard("opted_out") == 3
    store.put(CleanEvent("d", b""))
    store.acknowledge(batch)
    store.dead_letter(batch, "rejected")
    assert (len(store), store.volatile, store.size_bytes) == (1, 1, OVERHEAD_BYTES)
