"""Random secrets that each serve a period of time in UTC and are destroyed when it is over.

The mode `daily` has one for each day, an installation's rotating id one for each year, month or week. The processes of
one installation share them through files in the state directory that only their user can read; where nothing can be
written a secret lives in this process. It is drawn at random and derived from nothing, so that once it is gone no id
of that period can be traced back.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from otel_posthog.regex import regex
from otel_posthog.state import file_names, read_or_create, remove_file
from otel_posthog.values import moment_of

# What ends just before midnight is translated just after, maybe by a process that has just started.
GRACE = timedelta(minutes=5)

# A period, and what a process adds while it writes the file, which it leaves where it dies over that.
_NAME = regex(r"([0-9W]{4,8})(?:\.[0-9a-f]{16})?")

Clock = Callable[[], datetime]


def now_in_utc() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


class PeriodSecrets:
    """The secrets of one kind of period, of one installation.

    Args:
        directory: The installation's state directory.
        prefix: What the names of their files begin with.
        name_of: Returns the name of the period of a time; later ones sort behind earlier ones.
        now: The time, in UTC.
    """

    def __init__(self, directory: Path, prefix: str, name_of: Callable[[datetime], str], now: Clock) -> None:
        self._directory, self._prefix, self._name_of, self._now = directory, prefix, name_of, now
        # Those of the periods that are not over. Any thread, without a lock that a fork could leave held.
        self._secrets: dict[str, bytes] = {}
        self._live: tuple[datetime, frozenset[str]] | None = None

    def at(self, time_ns: int) -> tuple[str, bytes] | None:
        """Return the period of an event of that time and its secret; None where it is over, or not there yet."""
        try:
            period = self._name_of(moment_of(time_ns))
        except OverflowError:
            return None
        if period not in self.expire():
            return None
        secret = self._secrets.get(period)
        if secret is None:
            secret = self._secrets.setdefault(period, self._kept(period) or secrets.token_bytes(32))
        return period, secret

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """Yield the periods that are not over and have a secret on disk, with it; none is made."""
        now = self._now()
        for period in sorted({self._name_of(now), self._name_of(now - GRACE)}):
            if (self._directory / f"{self._prefix}{period}").exists() and (secret := self._kept(period)) is not None:
                yield period, secret

    def expire(self) -> frozenset[str]:
        """Destroy the secrets of periods that are over, here and on disk; return the periods that are not.

        Cheap where nothing is over since it was called last.
        """
        now, known = self._now(), self._live
        # Periods and the grace end with whole minutes.
        minute = now.replace(second=0, microsecond=0)
        if known is not None and known[0] == minute:
            return known[1]
        live = frozenset((self._name_of(now), self._name_of(now - GRACE)))
        self._live = minute, live
        if known is None or known[1] != live:
            for period in self._secrets.keys() - live:
                self._secrets.pop(period, None)
            self._clean(min(live))
        return live

    def _clean(self, oldest: str) -> None:
        """Delete the files of periods before `oldest`, other processes' too."""
        for name in file_names(self._directory):
            found = _NAME.fullmatch(name.removeprefix(self._prefix))
            if name.startswith(self._prefix) and found is not None and found[1] < oldest:
                remove_file(self._directory / name)

    def _kept(self, period: str) -> bytes | None:
        text = read_or_create(self._directory / f"{self._prefix}{period}", lambda: secrets.token_hex(32))
        try:
            return bytes.fromhex(text) if text and len(text) == 64 else None
        except ValueError:
            return None


class DailySalts(PeriodSecrets):
    """The salts of the mode `daily`.

    Args:
        directory: The installation's state directory.
        now: The time, in UTC.
    """

    def __init__(self, directory: Path, now: Clock = now_in_utc) -> None:
        super().__init__(directory, "daily-salt-", lambda moment: f"{moment:%Y%m%d}", now)
