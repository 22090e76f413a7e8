"""The segments of a process that has ended: nobody appends to them any more."""

from __future__ import annotations

from otel_posthog.deliver.spool.files import Files
from otel_posthog.deliver.spool.owner import Owned
from otel_posthog.deliver.spool.segment import (
    HEADER_BYTES,
    VERSION,
    decode_header,
    events_in,
    is_ours,
    name_of,
    numbers_in,
)
from otel_posthog.deliver.spool.writer import Head
from otel_posthog.private_files import ForeignError


class Sealed:
    """What is in an adopted directory.

    Args:
        files: The file system.
        owned: The directory.

    Attributes:
        foreign: Files that are called as segments are and left alone.

    Raises:
        OSError: It cannot be read.
        NewerFormatError: A newer release wrote it.
    """

    def __init__(self, files: Files, owned: Owned) -> None:
        self.head = Head()
        self._segments: dict[int, tuple[int, int]] = {}
        self.foreign: list[ForeignError] = []
        for number in numbers_in(files, owned.path):
            path = owned.path / name_of(number)
            try:
                descriptor = files.open(path)
            except ForeignError as error:
                self.foreign.append(error)
                continue
            try:
                if not is_ours(files, descriptor):
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
