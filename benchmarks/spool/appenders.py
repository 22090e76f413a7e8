"""Ways to write an event so that it outlives the process, each behind the same two functions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from otel_posthog.deliver.spool import Spool
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy

EVENT_BYTES = 400


@dataclass(frozen=True, slots=True)
class Appender:
    """One way to write an event.

    Attributes:
        name: As the table calls it.
        put: Writes one event.
        close: Ends it.
    """

    name: str
    put: Callable[[CleanEvent], object]
    close: Callable[[], None]


def event(number: int) -> CleanEvent:
    """Return an event of 400 bytes."""
    return CleanEvent(f"00000000-0000-4000-8000-{number:012d}", b'{"n":%012d,"x":"' % number + b"x" * 370 + b'"}')


def appenders(folder: Path) -> list[Appender]:
    """Return all appenders, each with files of its own in `folder`; no format can be faster than `write` alone."""
    descriptor = os.open(folder / "raw", os.O_CREAT | os.O_WRONLY, 0o600)
    spool = Spool(folder / "spool", "default", DeliveryPolicy(), Health())
    database = sqlite3.connect(folder / "wal.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, uuid TEXT, body BLOB)")
    insert = "INSERT INTO events (uuid, body) VALUES (?, ?)"
    return [
        Appender("write(2) alone", lambda each: os.write(descriptor, each.body), lambda: os.close(descriptor)),
        Appender("spool", spool.put, spool.close),
        Appender("SQLite, WAL", lambda each: database.execute(insert, (each.uuid, each.body)), database.close),
    ]
