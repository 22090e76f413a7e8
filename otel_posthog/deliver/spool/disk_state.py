"""Whether the disk takes events at present: what its errors are counted and logged as, and when it is tried again."""

from __future__ import annotations

import errno
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from otel_posthog.health import STORAGE_ERROR, Health
from otel_posthog.private_files import ForeignError

_log = logging.getLogger("otel_posthog")

# Often enough that events are soon on disk again, rarely enough that a full disk costs a process nothing.
RETRY_S = 1.0

_REASONS = {
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EFBIG: "no_space",
    errno.EROFS: "read_only",
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.EMFILE: "too_many_files",
    errno.ENFILE: "too_many_files",
    errno.ENOENT: "not_found",
    errno.EIO: "input_output",
}
PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE})
"""What may be over in a while without anybody setting anything right."""


def reason_of(error: OSError) -> str:
    """Return the fixed identifier that `error` is counted under."""
    if isinstance(error, ForeignError):
        return "not_ours"
    return _REASONS.get(error.errno or 0, "other")


class DiskState:
    """Whether the disk takes events at present.

    Args:
        health: Counts errors.
        folder: For the log lines.
    """

    def __init__(self, health: Health, folder: Path) -> None:
        self._health, self._folder = health, folder
        self._retry_at: float | None = None
        self._lines: deque[str] = deque()

    def may_write(self) -> bool:
        """Return whether it is time to write."""
        return self._retry_at is None or time.monotonic() >= self._retry_at

    def failed(self, error: OSError) -> None:
        """Note that an event could not be written; `log` says so when that begins."""
        self.count_error(error)
        if self._retry_at is None:
            self._lines.append(
                f"the spool {self._folder} cannot be written ({error.strerror}): events wait in memory meanwhile, "
                "up to max_buffer_bytes"
            )
        self._retry_at = time.monotonic() + RETRY_S

    def succeeded(self) -> None:
        """Note that an event was written; `log` says so where that had failed."""
        if self._retry_at is not None:
            self._retry_at = None
            self._lines.append(f"the spool {self._folder} can be written again")

    def log_later(self, line: str) -> None:
        """Have `log` log a line, once no lock is held."""
        self._lines.append(line)

    def log(self) -> None:
        """Log the lines that came up."""
        while self._lines:
            with suppress(IndexError):  # another thread has just logged it
                _log.warning("%s", self._lines.popleft())

    def count_error(self, error: OSError) -> None:
        """Count an error after which all goes on."""
        self._health.count(STORAGE_ERROR, reason_of(error))

    @contextmanager
    def counting_errors(self) -> Iterator[None]:
        """Count an error of the disk after which all goes on: at worst events are sent twice, with the same uuid."""
        try:
            yield
        except OSError as error:
            self.count_error(error)
