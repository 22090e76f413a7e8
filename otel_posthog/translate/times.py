"""When an event happened: as the app gave it, else when the telemetry says.

Runs on the worker, and never reads a clock: an event without a time that can be meant is dropped, not dated now.
"""

from __future__ import annotations

import re
from datetime import datetime

from otel_posthog.errors import DropEvent
from otel_posthog.model import Note, Signal
from otel_posthog.regex import regex
from otel_posthog.translate.vocabulary import TIMESTAMP_KEY
from otel_posthog.values import unix_ns

# Seconds, any fraction of them, and an offset; `fromisoformat` reads fractions and `Z` only from Python 3.11 on.
_RFC_3339 = regex(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
# Below it (1973) a number is seconds, milli- or microseconds; guessing which would misdate events silently.
_MIN_TIME_NS = 10**17
# 2100-01-01; beyond it a timestamp is a mistaken unit, and PostHog would not take it either.
_MAX_TIME_NS = 4_102_444_800 * 10**9


def event_time_ns(signal: Signal, note: Note) -> int:
    """Return the event's time in Unix nanoseconds: `analytics.timestamp` if valid, else the telemetry's own.

    Args:
        signal: The signal.
        note: Called with `timestamp_invalid` when the app gave one that is neither RFC 3339 with an offset nor
            nanoseconds, `time_invalid` when the telemetry's own is in another unit and the time of its observation is
            taken.

    Raises:
        DropEvent: `time_invalid`, when none can be meant: an event in the wrong year is worse than none.
    """
    given = signal.attributes.get(TIMESTAMP_KEY)
    if given is not None:
        parsed = _parse(given)
        if parsed is not None:
            return parsed
        note("timestamp_invalid")
    if _is_plausible(signal.time_ns):
        return signal.time_ns
    if _is_plausible(signal.observed_time_ns):
        note("time_invalid")
        return signal.observed_time_ns
    raise DropEvent("time_invalid")


def _parse(value: object) -> int | None:
    """Return Unix nanoseconds of an RFC 3339 string with an offset, or of an int that already is that."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if _is_plausible(value) else None
    found = _RFC_3339.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    moment, fraction, offset = found.groups()
    try:
        whole_s = datetime.fromisoformat(f"{moment}{'+00:00' if offset in 'Zz' else offset}")
        time_ns = unix_ns(whole_s) + int(f"{fraction or '':0<9}"[:9])
    except ValueError:
        return None
    return time_ns if 0 < time_ns < _MAX_TIME_NS else None


def _is_plausible(time_ns: int) -> bool:
    return _MIN_TIME_NS <= time_ns < _MAX_TIME_NS
