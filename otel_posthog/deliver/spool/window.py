"""Reads a segment a window at a time, whatever its size and whatever is wrong with it."""

from __future__ import annotations

from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.record import Scan, scan

WINDOW_BYTES = 256 * 1024
# Records of one window that are made into objects; more only cost memory.
MAX_RECORDS = 500
# What a disk that cannot read loses at least: a page.
PAGE_BYTES = 4096


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
