"""What a disk can do to a segment: one byte costs one event, never a wrong payload, never a spool that is stuck."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_cache import PageCache
from spooled import drained, event, segments, spool

from otel_posthog.deliver.spool import writer
from otel_posthog.deliver.spool.record import MIN_BYTES, encode_record, scan
from otel_posthog.deliver.spool.segment import HEADER_BYTES
from otel_posthog.health import DROPPED, Health

EVENTS = [event(number, size) for number, size in enumerate((0, 600, 200, 1500, 460, 100))]
ROOT = Path("/spool")


@pytest.fixture(scope="module")
def segment() -> bytes:
    """The bytes of a small segment."""
    data = b"".join(encode_record(each, 1000 + number, number) for number, each in enumerate(EVENTS))
    assert len(data) < 8000
    return bytes(HEADER_BYTES) + data


def read(data: bytes) -> list[object]:
    """Return the events in `data`; whatever is found is one of those that were written, as it was."""
    found = [record.event for record in scan(data[HEADER_BYTES:], is_last=True).records]
    assert [each for each in EVENTS if each in found] == found
    return list(found)


def test_a_flipped_bit_anywhere_costs_one_event_at_most(segment: bytes) -> None:
    """Every byte of the segment, each with one bit flipped."""
    for place in range(HEADER_BYTES, len(segment)):
        damaged = bytearray(segment)
        damaged[place] ^= 1 << place % 8
        assert len(read(bytes(damaged))) >= len(EVENTS) - 1


def test_a_byte_of_any_value_anywhere_costs_one_event_at_most(segment: bytes) -> None:
    """Those of the frame are the dangerous ones: each of the first 64 of each record, with telling values."""
    starts = [record.start + HEADER_BYTES for record in scan(segment[HEADER_BYTES:], is_last=True).records]
    for start in starts:
        for place in range(start, start + 64):
            for value in (0x00, 0xFF, 0xF8, 0xFE, 0x7F, 0x80):
                damaged = bytearray(segment)
                damaged[place] = value
                assert len(read(bytes(damaged))) >= len(EVENTS) - 1


def test_512_zeroed_bytes_anywhere_cost_two_events_at_most(segment: bytes) -> None:
    """At every offset, aligned or not."""
    for place in range(HEADER_BYTES, len(segment) - 511):
        damaged = segment[:place] + bytes(512) + segment[place + 512 :]
        assert len(read(damaged)) >= len(EVENTS) - 2


def test_a_cut_anywhere_costs_the_tail_only(segment: bytes) -> None:
    """What was whole before the cut is read."""
    ends = [record.start for record in scan(segment[HEADER_BYTES:], is_last=True).records][1:]
    for place in range(HEADER_BYTES, len(segment)):
        whole = sum(place - HEADER_BYTES >= end for end in ends)
        assert len(read(segment[:place])) >= whole


@given(garbage=st.binary(max_size=3000), place=st.integers(0, 3000), replaces=st.booleans())
def test_garbage_is_stepped_over(garbage: bytes, place: int, *, replaces: bool) -> None:
    """Whatever stands in the middle, nothing wrong comes out and the end is reached."""
    data = b"".join(encode_record(each, 1000, number) for number, each in enumerate(EVENTS))
    place = min(place, len(data))
    found = scan(data[:place] + garbage + data[place + len(garbage) * replaces :], is_last=True)
    assert all(record.event in EVENTS for record in found.records)


@given(st.integers(1, 6000))
def test_a_window_of_any_size_finds_the_same(window: int) -> None:
    """Where one read ends and the next begins changes nothing."""
    data = b"".join(encode_record(each, 1000, number) for number, each in enumerate(EVENTS))
    place, found, size = 0, [], window
    while place < len(data):
        part = scan(data[place : place + size], is_last=place + size >= len(data))
        found += [record.event for record in part.records]
        place += part.end
        size = window if part.end else max(2 * size, part.needed)
    assert found == EVENTS


def test_a_damaged_spool_is_drained_and_the_loss_is_counted_exactly() -> None:
    """The numbers of the records tell how many are missing; a segment that vanished is counted whole."""
    files, health = PageCache(), Health()
    first = spool(ROOT, files=files, max_segment_bytes=5 * MIN_BYTES)
    events = [event(number) for number in range(20)]
    assert all(first.put(each) for each in events)
    first.close()
    (path,) = [ROOT / "default" / name for name in files.names(ROOT / "default") if name[0].isdigit()]
    names = [name for name in files.names(path) if name.endswith(".seg")]
    assert len(names) >= 4

    def wreck(data: bytearray) -> None:
        data[HEADER_BYTES + MIN_BYTES + 100] ^= 1
        data[HEADER_BYTES + 3 * MIN_BYTES + 9] ^= 1

    files.damage(path / names[1], wreck)
    found = drained(spool(ROOT, health, files=files), max_events=3)
    assert len(found) == 18
    assert [each for each in events if each in found] == found
    assert health.snapshot()[DROPPED, "spool_damaged"] == 2
    assert files.names(path) == []


def test_pages_that_cannot_be_read_cost_what_is_on_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad sector makes reading fail: the rest comes, and nobody waits for ever."""
    monkeypatch.setattr(writer, "MAX_FRESH_BYTES", 0)

    class BadSector(PageCache):
        def read_at(self, descriptor: int, size: int, offset: int) -> bytes:
            if size > 100 and offset < 9000 < offset + size and self.size(descriptor) > 20_000:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read_at(descriptor, size, offset)

    files, health = BadSector(), Health()
    store = spool(ROOT, health, files=files)
    events = [event(number) for number in range(100)]
    for each in events:
        store.put(each)
    found = drained(store)
    assert 85 <= len(found) < 100
    assert health.snapshot()[DROPPED, "spool_damaged"] == 100 - len(found)


def test_a_segment_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    """An older release neither reads, sends nor removes what it does not know."""
    first = spool(tmp_path)
    first.put(event(1))
    first.close()
    (path,) = segments(tmp_path)
    from otel_posthog.deliver.spool import segment as format_  # noqa: PLC0415

    data = path.read_bytes()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(format_, "VERSION", 2)
        path.write_bytes(format_.encode_header(1, 1) + data[HEADER_BYTES:])
    second = spool(tmp_path)
    assert len(second) == 0
    second.close()
    assert path.exists()
