"""Segments: files that records are appended to, begun anew by each process and never cut.

It starts with 32 bytes: magic (8), version (u16), size of this header (u16), process id (u32), milliseconds since 1970
(u64), CRC-32 of all that (u32), zeros. Records can be read without the header; it says which process wrote what when.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.record import MARKER, Record, next_records, scan
from otel_posthog.model import CleanEvent
from otel_posthog.private_files import ForeignError
from otel_posthog.regex import regex

MAGIC = b"\x89OPHSPL\n"
VERSION = 1
HEADER_BYTES = 32
SUFFIX = ".seg"

_HEADER = struct.Struct("<8sHHIQ")
_CHECK = struct.Struct("<I")
_NAME = regex(r"[0-9]{8,10}\.seg")
# Enough to hold the last record of nearly every segment; where it does not, the window doubles.
_TAIL_BYTES = 64 * 1024


class Header(NamedTuple):
    """What a segment says of itself."""

    version: int
    pid: int
    created_ms: int


def name_of(number: int) -> str:
    """Return the file name of segment `number`."""
    return f"{number:08d}{SUFFIX}"


def numbers_in(files: Files, directory: Path) -> list[int]:
    """Return the numbers of the segments in `directory`, ascending."""
    return sorted(int(name.removesuffix(SUFFIX)) for name in files.names(directory) if is_name(name))


def is_name(name: str) -> bool:
    """Return whether a segment may be called so."""
    return _NAME.fullmatch(name) is not None


def encode_header(pid: int, created_ms: int) -> bytes:
    """Return the first bytes of a new segment."""
    head = _HEADER.pack(MAGIC, VERSION, HEADER_BYTES, pid, created_ms)
    return (head + _CHECK.pack(zlib.crc32(head))).ljust(HEADER_BYTES, b"\0")


def decode_header(data: bytes) -> Header | None:
    """Return what `data`, the first bytes of a segment, says; None where it is damaged."""
    if len(data) < HEADER_BYTES or not data.startswith(MAGIC):
        return None
    (check,) = _CHECK.unpack_from(data, _HEADER.size)
    if zlib.crc32(data[: _HEADER.size]) != check:
        return None
    _, version, _, pid, created_ms = _HEADER.unpack_from(data)
    return Header(version, pid, created_ms)


def events_in(files: Files, descriptor: int) -> int:
    """Return how many events were put into a segment, from the number that its last record has."""
    size, tail = files.size(descriptor), _TAIL_BYTES
    while True:
        start = max(HEADER_BYTES, size - tail)
        found = scan(files.read_at(descriptor, max(0, size - start), start), is_last=True)
        if found.records:
            return max(record.number for record in found.records) + 1
        if start == HEADER_BYTES:
            return 0
        tail *= 4


def is_segment(files: Files, descriptor: int) -> bool:
    """Return whether a file that is called as one of ours is one: by its header, or by what a power cut leaves of it.

    That is nothing, zeros, or a header of zeros and then records.
    """
    begin = files.read_at(descriptor, HEADER_BYTES + len(MARKER), 0)
    if begin.startswith(MAGIC) or begin[HEADER_BYTES:] == MARKER:
        return True
    size = files.size(descriptor)
    for offset in range(0, size, _TAIL_BYTES):
        data = files.read_at(descriptor, _TAIL_BYTES, offset)
        if any(data):
            return bool(scan(data, is_last=True, most=1).records)
    return True


def read_records(files: Files, path: Path) -> Iterator[Record]:
    """Yield the records of a file, as far as it is written; none where it is gone."""
    try:
        descriptor = files.open(path)
    except OSError:
        return
    try:
        offset, limit = HEADER_BYTES, files.size(descriptor)
        while offset < limit:
            found = next_records(files, descriptor, offset, limit)
            yield from found.records
            offset += max(1, found.end)
    finally:
        files.close(descriptor)


class Head(NamedTuple):
    """How far has been written; replaced as a whole, so that a reader sees one state.

    Attributes:
        number: The segment that is appended to, or was last.
        committed: Its size in bytes, up to which every record is whole.
        events: How many it has.
        before: The events of all segments before it.
        is_open: Whether more may be appended to it.
    """

    number: int = 0
    committed: int = 0
    events: int = 0
    before: int = 0
    is_open: bool = False


class Fresh(NamedTuple):
    """What this process has just appended in one go, so that it need not be read again to be sent.

    Attributes:
        number: Of the segment.
        first: The number of the first event within it, from 0.
        start: Where the first record starts.
        ends: Where each record ends, from `start` on.
        stored_ms: When they were stored; milliseconds since 1970.
        events: The events.
    """

    number: int
    first: int
    start: int
    ends: Sequence[int]
    stored_ms: int
    events: Sequence[CleanEvent]


class Segments(Protocol):
    """The segments of a directory.

    Attributes:
        fresh: What was appended last, the oldest first, with gaps: what is on disk is what counts.
    """

    fresh: deque[Fresh]

    @property
    def head(self) -> Head:
        """How far has been written; no segment is open where nothing is written any more."""

    @property
    def appended(self) -> int:
        """How many events were ever appended."""

    @property
    def size_bytes(self) -> int:
        """The size of the segments that are there."""

    def following(self, number: int) -> int | None:
        """Return the number of the next segment, if there is one."""

    def count_of(self, number: int) -> int:
        """Return how many events a segment has."""

    def removed(self, number: int) -> None:
        """Note that a segment is gone."""


class ClosedSegments:
    """The segments of a process that has ended: nothing is appended to them any more.

    Args:
        files: The file system.
        directory: Where they are.

    Attributes:
        foreign: Files that are called as segments are and left alone.
        fresh: None.

    Raises:
        OSError: It cannot be read.
        NewerFormatError: A newer release wrote it.
    """

    def __init__(self, files: Files, directory: Path) -> None:
        self.head = Head()
        self.fresh = deque[Fresh]()
        self._segments: dict[int, tuple[int, int]] = {}
        self.foreign: list[ForeignError] = []
        for number in numbers_in(files, directory):
            path = directory / name_of(number)
            try:
                descriptor = files.open(path)
            except ForeignError as error:
                self.foreign.append(error)
                continue
            try:
                if not is_segment(files, descriptor):
                    self.foreign.append(ForeignError(path, "it is no segment of a spool"))
                    continue
                header = decode_header(files.read_at(descriptor, HEADER_BYTES, 0))
                if header is not None and header.version > VERSION:
                    raise NewerFormatError
                self._segments[number] = (files.size(descriptor), events_in(files, descriptor))
            finally:
                files.close(descriptor)
        self.appended = sum(count for _, count in self._segments.values())

    @property
    def size_bytes(self) -> int:
        """The size of the segments that are still there."""
        return sum(size for size, _ in tuple(self._segments.values()))

    def following(self, number: int) -> int | None:
        """Return the number of the next segment, if there is one."""
        return min((each for each in self._segments if each > number), default=None)

    def count_of(self, number: int) -> int:
        """Return how many events a segment has."""
        return self._segments.get(number, (0, 0))[1]

    def removed(self, number: int) -> None:
        """Note that a segment is gone."""
        self._segments.pop(number, None)


class NewerFormatError(Exception):
    """A segment of a version that is not known here."""
