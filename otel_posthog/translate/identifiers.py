"""An event's uuid and time: as the app gave them, else derived from the telemetry, the same on every delivery."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime

from otel_posthog.model import Signal, Source
from otel_posthog.translate.vocabulary import RECORD_UID_KEY, TIMESTAMP_KEY, UUID_KEY
from otel_posthog.unix_time import unix_ns

Note = Callable[[str], None]

_NAMESPACE = uuid.UUID("6f74656c-2d70-4f73-a468-6f672d757569")
# Seconds, any fraction of them, and an offset; `fromisoformat` reads fractions and `Z` only from Python 3.11 on.
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
# 2100-01-01; beyond it a timestamp is a mistaken unit, and PostHog would not take it either.
_MAX_TIME_NS = 4_102_444_800 * 10**9


def event_uuid(signal: Signal, name: str, time_ns: int, note: Note) -> str:
    """Return the event's uuid, lowercase.

    `analytics.uuid` if it is one, else `log.record.uid`, else a version 5 UUID of trace id, span id, name, time and
    repeat index. A log record's observed time goes in as well: two lines of one span may bear the same time, which
    `logging` keeps in microseconds. So does, outside a trace, the resource: all that then tells processes apart.

    Args:
        signal: The signal.
        name: The event's name.
        time_ns: The event's time.
        note: Told `uuid_invalid` when the app gave one that is none.
    """
    given = signal.attributes.get(UUID_KEY)
    if given is not None:
        parsed = _parse_uuid(given)
        if parsed is not None:
            return parsed
        note("uuid_invalid")
    record_uid = signal.attributes.get(RECORD_UID_KEY)
    if isinstance(record_uid, str) and record_uid:
        return _parse_uuid(record_uid) or str(uuid.uuid5(_NAMESPACE, f"uid:{record_uid}"))
    return str(uuid.uuid5(_NAMESPACE, _fingerprint(signal, name, time_ns)))


def event_time_ns(signal: Signal, note: Note) -> int:
    """Return the event's time in Unix nanoseconds: `analytics.timestamp` if valid, else the telemetry's own.

    Args:
        signal: The signal.
        note: Told `timestamp_invalid` when the app gave one that is neither RFC 3339 with an offset nor nanoseconds.
    """
    given = signal.attributes.get(TIMESTAMP_KEY)
    if given is None:
        return signal.time_ns
    parsed = _parse_time(given)
    if parsed is not None and 0 < parsed < _MAX_TIME_NS:
        return parsed
    note("timestamp_invalid")
    return signal.time_ns


def _fingerprint(signal: Signal, name: str, time_ns: int) -> str:
    parts = [f"{signal.trace_id:032x}", f"{signal.span_id:016x}", name, str(time_ns), str(signal.repeat_index)]
    if signal.source is Source.LOG:
        parts.append(str(signal.observed_time_ns))
    if not signal.trace_id:
        # Without a trace only the resource tells two processes apart.
        keys = ("service.name", "service.instance.id", "host.name", "process.pid")
        parts.extend(str(signal.resource.get(key, "")) for key in keys)
    return "\x1f".join(parts)


def _parse_uuid(value: object) -> str | None:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _parse_time(value: object) -> int | None:
    """Return Unix nanoseconds of an RFC 3339 string with an offset, or of an int that already is that."""
    if isinstance(value, int) and not isinstance(value, bool):
        # Below 10**17 (1973) it is seconds, milli- or microseconds; guessing which would misdate events silently.
        return value if value >= 10**17 else None
    found = _RFC_3339.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    moment, fraction, offset = found.groups()
    try:
        whole_s = datetime.fromisoformat(f"{moment}{'+00:00' if offset in 'Zz' else offset}")
    except ValueError:
        return None
    return unix_ns(whole_s) + int(f"{fraction or '':0<9}"[:9])
