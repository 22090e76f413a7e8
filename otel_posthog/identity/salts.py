"""The salts of the mode `daily`: one for each UTC day, thrown away when the day is over.

The processes of one installation share it through a file in the state directory that only their user can read; where
nothing can be written it lives in this process. It is drawn at random and derived from nothing, so that once it is gone
nobody can tell whose an id of that day was.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from otel_posthog.state import read_or_create
from otel_posthog.unix_time import moment_of

_PREFIX = "daily-salt-"

# What ends just before midnight is translated just after: so long a process that has the old salt keeps it in memory.
GRACE = timedelta(minutes=5)


class DailySalts:
    """The salts of one installation.

    Args:
        directory: The installation's state directory.
        now: The time, in UTC.
    """

    def __init__(self, directory: Path, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self._directory, self._now = directory, now
        # At most today's and, for a few minutes, yesterday's. Any thread, without a lock that a fork could leave held.
        self._salts: dict[date, bytes] = {}
        self._cleaned_on: date | None = None

    def at(self, time_ns: int) -> tuple[date, bytes] | None:
        """Return the day of an event of that time and its salt; None where the day is over, or not there yet."""
        now = self._now()
        try:
            day = moment_of(time_ns).date()
        except OverflowError:
            return None
        self._forget(now)
        salt = self._salts.get(day)
        if salt is None and day == now.date():
            salt = self._salts.setdefault(day, self._kept(day) or secrets.token_bytes(32))
        return None if salt is None else (day, salt)

    def clean(self) -> None:
        """Delete the salts of past days that other processes left, whatever the mode is now."""
        today = _file_name(self._now().date())
        try:
            old = [path for path in self._directory.glob(f"{_PREFIX}*") if path.name < today]
            for path in old:
                path.unlink(missing_ok=True)
        except OSError:
            pass  # a directory that cannot be written; nothing was kept there by this process either

    def _forget(self, now: datetime) -> None:
        if self._cleaned_on != now.date():
            # The first event of the day: the files of the days before go, in memory they go after the grace.
            self._cleaned_on = now.date()
            self.clean()
        for day in [day for day in self._salts if day not in {now.date(), (now - GRACE).date()}]:
            self._salts.pop(day, None)

    def _kept(self, day: date) -> bytes | None:
        text = read_or_create(self._directory / _file_name(day), lambda: secrets.token_hex(32))
        try:
            return bytes.fromhex(text) if text and len(text) == 64 else None
        except ValueError:
            return None


def _file_name(day: date) -> str:
    return f"{_PREFIX}{day:%Y%m%d}"
