"""Moments as OpenTelemetry has them: whole nanoseconds since 1970, in which a float could not be exact."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def unix_ns(moment: datetime) -> int:
    """Return `moment`, which has an offset, in Unix nanoseconds."""
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 10**9 + elapsed.microseconds * 1000


def moment_of(time_ns: int) -> datetime:
    """Return the moment of `time_ns` in UTC, to the microsecond below.

    Raises:
        OverflowError: It is no date.
    """
    return _EPOCH + timedelta(microseconds=time_ns // 1000)
