"""A segment: a file that records are appended to, begun anew by each process and never cut.

It starts with 32 bytes: magic (8), version (u16), size of this header (u16), process id (u32), milliseconds since 1970
(u64), CRC-32 of all that (u32), zeros. Nobody needs the header to read the records; it says who wrote what when.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.record import scan

MAGIC = b"\x89OPHSPL\n"
VERSION = 1
HEADER_BYTES = 32
SUFFIX = ".seg"

_HEADER = struct.Struct("<8sHHIQ")
_CHECK = struct.Struct("<I")
# Enough to hold the last record of nearly every segment; where it does not, the window doubles.
_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says of itself."""

    version: int
    pid: int
    created_ms: int


def name_of(number: int) -> str:
    """Return the file name of segment `number`."""
    return f"{number:08d}{SUFFIX}"


def numbers_in(files: Files, directory: Path) -> list[int]:
    """Return the numbers of the segments in `directory`, ascending."""
    names = (name.removesuffix(SUFFIX) for name in files.names(directory) if name.endswith(SUFFIX))
    return sorted(int(stem) for stem in names if stem.isdecimal())


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
