"""Translated events, keys and a clock for the tests of identity."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from otel_posthog.identity.keys import KeyRing, parse_keys
from otel_posthog.model import Event, Source, Subject
from otel_posthog.values import unix_ns

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
NOON_NS = unix_ns(NOON)
DAY_NS = 86_400 * 10**9

# 32 bytes and more, and nothing a scanner for secrets would take for one.
KEY, NEXT_KEY = "-".join("abcdefghijklmnopq"), "-".join("zyxwvutsrqponmlkj")


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def pass_by(self, **time: float) -> None:
        """Let `timedelta(**time)` pass."""
        self.now += timedelta(**time)


def event(**fields: Any) -> Event:
    """Return a translated event."""
    given: dict[str, Any] = {
        "name": "e",
        "uuid": "019b7ca7-d388-7000-8000-0000000000ff",
        "time_ns": NOON_NS,
        "properties": {},
        "telemetry": {},
        "subject": Subject(),
        "trace_id": None,
        "span_id": None,
        "source": Source.LOG,
    }
    given.update(fields)
    return Event(**given)


def ring(text: str = KEY) -> KeyRing:
    """Return the keys in `text`."""
    return parse_keys(text, where="keys")
