r"""One event on disk, and how to find events again in bytes that are damaged, a window of a file at a time.

A record is little-endian: marker (4 bytes), length of the payload (u32), CRC-32 of the payload begun with its length
(u32); then the payload: milliseconds since 1970 when it was stored (u64), its number within the segment from 0 (u32),
lengths of uuid, destination and reason (u16 each), those three in UTF-8, and the body, which goes to the end.
Zeros fill it up to 511 bytes: 512 bytes that a disk lost can then touch two records at most.

The marker's bytes occur in no UTF-8 text, so that nothing an event says can be taken for the start of a record.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from otel_posthog.deliver.spool.files import Files
from otel_posthog.model import CleanEvent

MARKER = b"\xf8\xff\xfe\xfb"
MIN_BYTES = 511
# Far above any event that PostHog takes; a length beyond it is damage.
MAX_BYTES = 16 * 1024 * 1024
WINDOW_BYTES = 256 * 1024
# Records of one window that are made into objects; more only cost memory.
MAX_RECORDS = 500
# What a disk that cannot read loses at least: a page.
PAGE_BYTES = 4096

_FRAME = struct.Struct("<4sII")
_META = struct.Struct("<QIHHH")
_WHOLE = struct.Struct("<4sIIQIHHH")
_HEAD = _WHOLE.size


class Record(NamedTuple):
    """An event as it was read.

    Attributes:
        event: The event.
        start: Where its record starts, in the bytes that were read.
        stored_ms: When it was stored; milliseconds since 1970.
        number: Its number within its segment, from 0.
        reason: Why it is a dead letter; empty where it is none.
    """

    event: CleanEvent
    start: int
    stored_ms: int
    number: int
    reason: str


class Scan(NamedTuple):
    """What was found in some bytes.

    Attributes:
        records: The events, in order.
        end: Up to where the bytes are done with.
        needed: How many bytes from `end` the next record takes; 0 where that is not known.
        is_cut: Whether a record was begun and not ended at the end of the file.
    """

    records: list[Record]
    end: int
    needed: int = 0
    is_cut: bool = False


def encode_record(event: CleanEvent, stored_ms: int, index: int, reason: str = "") -> bytes:
    """Return the record of `event`."""
    uuid, destination, why = event.uuid.encode(), event.destination.encode(), reason.encode()
    meta = _META.pack(stored_ms, index, len(uuid), len(destination), len(why))
    payload = b"".join((meta, uuid, destination, why, event.body))
    length = len(payload)
    return (_FRAME.pack(MARKER, length, zlib.crc32(payload, length)) + payload).ljust(MIN_BYTES, b"\0")


def is_whole(record: bytes, written: int) -> bool:
    """Return whether `written` bytes of `record` are the event, with nothing but zeros missing."""
    _, length, _ = _FRAME.unpack_from(record)
    return written >= _FRAME.size + int(length)


def scan(data: bytes, *, is_last: bool, most: int = 2**31) -> Scan:
    """Return the events in `data`, whatever is wrong with it: what does not check is stepped over.

    Args:
        data: Bytes of a segment.
        is_last: Whether the segment ends with them.
        most: How many events at most.
    """
    records: list[Record] = []
    position, size, view = 0, len(data), memoryview(data)
    while position < size and len(records) < most:
        found = data.startswith(MARKER, position)
        if found and size - position >= _HEAD:
            _, length, crc, *meta = _WHOLE.unpack_from(data, position)
            stop = position + _FRAME.size + length
            fits = _META.size <= length <= MAX_BYTES
            if fits and stop <= size and zlib.crc32(view[position + _FRAME.size : stop], length) == crc:
                records.append(_record(data, position, stop, meta))
                position = max(stop, position + MIN_BYTES)
                continue
            if fits and stop > size and not is_last:
                return Scan(records, position, stop - position)
        elif not is_last and MARKER.startswith(data[position : position + len(MARKER)]):
            return Scan(records, position, _HEAD)
        following = data.find(MARKER, position + 1)
        if following < 0:
            return _unfinished(records, data, position, is_last=is_last)
        position = following
    # The zeros behind the last record may be in the bytes that come next.
    return Scan(records, position if not is_last else min(position, size))


def _record(data: bytes, start: int, stop: int, meta: list[int]) -> Record:
    stored_ms, index, uuid_bytes, destination_bytes, reason_bytes = meta
    uuid_at = start + _HEAD
    destination_at = uuid_at + uuid_bytes
    reason_at = destination_at + destination_bytes
    body_at = reason_at + reason_bytes
    event = CleanEvent(
        data[uuid_at:destination_at].decode(), data[body_at:stop], data[destination_at:reason_at].decode()
    )
    return Record(event, start, stored_ms, index, data[reason_at:body_at].decode() if reason_bytes else "")


def _unfinished(records: list[Record], data: bytes, position: int, *, is_last: bool) -> Scan:
    """Return what was found before bytes in which no further record begins."""
    if is_last:
        return Scan(records, len(data), is_cut=any(data[position : position + _HEAD]))
    # A marker may be cut in two by the end of what was read.
    return Scan(records, max(position, len(data) - len(MARKER) + 1))


def next_records(files: Files, descriptor: int, offset: int, limit: int, most: int = MAX_RECORDS) -> Scan:
    """Return the events from `offset` on; `end` in it is how far that goes, at least one byte and up to `limit`.

    Args:
        files: The file system.
        descriptor: A segment.
        offset: Less than `limit`.
        limit: Where the segment ends.
        most: How many events at most.
    """
    window = WINDOW_BYTES
    while True:
        size = min(window, limit - offset)
        data = _read(files, descriptor, size, offset)
        # A file that became shorter meanwhile ends where it ends.
        is_last = offset + size >= limit or len(data) < size
        found = scan(data, is_last=is_last, most=most)
        if len(data) < size and not found.records:
            return Scan([], limit - offset, is_cut=True)
        if found.end or is_last:
            return found
        window = max(2 * window, found.needed)


def _read(files: Files, descriptor: int, size: int, offset: int) -> bytes:
    """Read, with zeros for the pages that the disk cannot read."""
    try:
        return files.read_at(descriptor, size, offset)
    except OSError:
        return b"".join(
            _page(files, descriptor, min(PAGE_BYTES, size - at), offset + at) for at in range(0, size, PAGE_BYTES)
        )


def _page(files: Files, descriptor: int, size: int, offset: int) -> bytes:
    try:
        return files.read_at(descriptor, size, offset)
    except OSError:
        return bytes(size)
