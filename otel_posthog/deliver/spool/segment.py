"""A segment: a file that records are appended to, begun anew by each process and never cut.

It starts with 32 bytes: magic (8), version (u16), size of this header (u16), process id (u32), milliseconds since 1970
(u64), CRC-32 of all that (u32), zeros. Nobody needs the header to read the records; it says who wrote what when.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.record import MARKER, scan

MAGIC = b"\x89OPHSPL\n"
VERSION = 1
HEADER_BYTES = 32
SUFFIX = ".seg"

_HEADER = struct.Struct("<8sHHIQ")
_CHECK = struct.Struct("<I")
_NAME = re.compile(r"[0-9]{8,10}\.seg")
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


def is_ours(files: Files, descriptor: int) -> bool:
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


def remove_if_ours(files: Files, path: Path) -> bool:
    """Remove a segment, or a file of that format; return False, and leave it, where it is none.

    Raises:
        ForeignError: It is not this user's.
        OSError: As of the file system.
    """
    try:
        descriptor = files.open(path)
    except FileNotFoundError:
        return True
    try:
        if not is_ours(files, descriptor):
            return False
    finally:
        files.close(descriptor)
    files.remove(path)
    return True
