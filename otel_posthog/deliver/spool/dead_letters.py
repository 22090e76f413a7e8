"""Events that PostHog refused for good, kept for a person to look at: the folder `dead` of a destination.

What is refused at once is one file, written under another name and then renamed, so that no lock is needed. Records are
those of a segment, with the reason in them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from otel_posthog.deliver.spool.files import Files, remove_if, size_of, write_whole
from otel_posthog.deliver.spool.record import Record, encode_record
from otel_posthog.deliver.spool.segment import encode_header, is_segment, read_records
from otel_posthog.model import CleanEvent
from otel_posthog.private_files import ForeignError
from otel_posthog.regex import regex

FOLDER, SUFFIX = "dead", ".dead"
# What a server that refuses everything may fill: enough to see what is wrong, little enough to forget about.
MAX_FILES, MAX_BYTES = 2000, 64 * 1024 * 1024

_NAME = regex(r"([0-9]{13,16})-[0-9]{1,10}-[0-9]+\.dead")
# What a process left that died over writing one.
_DRAFT = regex(r"\.([0-9]{13,16})-[0-9]{1,10}-[0-9]+\.dead\.new")
_DRAFT_AGE_MS = 60_000

_number = count()


class DeadLetter(NamedTuple):
    """A dead letter.

    Attributes:
        record: The event, when it was refused and why.
        path: The file that it is in.
    """

    record: Record
    path: Path


class DeadLetters:
    """The dead letters of one destination.

    Args:
        files: The file system.
        folder: Of the destination.
        now_ms: Milliseconds since 1970.
    """

    def __init__(self, files: Files, folder: Path, now_ms: Callable[[], int]) -> None:
        self._files, self._folder, self._now_ms = files, folder / FOLDER, now_ms

    def add(self, events: Sequence[CleanEvent], reason: str) -> bool:
        """Keep `events`; return False where there is no room.

        Raises:
            OSError: As of the file system.
        """
        paths = self.paths()
        if len(paths) >= MAX_FILES or self._size_bytes(paths) >= MAX_BYTES:
            return False
        now_ms = self._now_ms()
        name = f"{now_ms:013d}-{os.getpid()}-{next(_number)}{SUFFIX}"
        data = encode_header(os.getpid(), now_ms)
        data += b"".join(encode_record(event, now_ms, index, reason) for index, event in enumerate(events))
        self._files.make_directory(self._folder)
        write_whole(self._files, self._folder / name, data)
        return True

    def paths(self) -> list[Path]:
        """Return the files, the oldest first."""
        return self._named(_NAME)

    def all(self) -> Iterator[DeadLetter]:
        """Yield all of them, the oldest first."""
        for path in self.paths():
            for record in read_records(self._files, path):
                yield DeadLetter(record, path)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is one of these."""
        with suppress(ForeignError):
            remove_if(self._files, path, is_segment)

    def rewrite(self, path: Path, records: Sequence[Record]) -> None:
        """Have only `records` in a file, which they are from; remove it where there are none.

        Raises:
            OSError: As of the file system; the file is as it was.
        """
        if not records:
            self.remove(path)
            return
        data = encode_header(os.getpid(), records[0].stored_ms)
        data += b"".join(encode_record(each.event, each.stored_ms, at, each.reason) for at, each in enumerate(records))
        write_whole(self._files, path, data)

    def expire(self, oldest_ms: int) -> None:
        """Remove what was refused before `oldest_ms`, and what was begun and never finished."""
        for pattern, before_ms in ((_NAME, oldest_ms), (_DRAFT, self._now_ms() - _DRAFT_AGE_MS)):
            for path in self._named(pattern):
                found = pattern.fullmatch(path.name)
                if found is not None and int(found[1]) < before_ms:
                    self.remove(path)

    def clear(self) -> None:
        """Remove all."""
        for path in (*self._named(_NAME), *self._named(_DRAFT)):
            self.remove(path)

    def _named(self, pattern: re.Pattern[str]) -> list[Path]:
        return [self._folder / name for name in self._files.names(self._folder) if pattern.fullmatch(name)]

    def _size_bytes(self, paths: Sequence[Path]) -> int:
        return sum(size_of(self._files, path) for path in paths)
