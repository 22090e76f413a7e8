"""Time that is recorded for work."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class TimerStarted(TypedDict, total=False):
    """`timer_started`: a timer was started.

    Attributes:
        item_kind: What it runs for: `ticket`, `task`, ...
    """

    item_kind: str


class TimerStopped(TypedDict, total=False):
    """`timer_stopped`: a timer was stopped.

    Attributes:
        item_kind: What it ran for.
        duration_s: How long, in seconds.
    """

    item_kind: str
    duration_s: Duration


class TimeEntryCreated(TypedDict, total=False):
    """`time_entry_created`: time was recorded.

    Attributes:
        entry_kind: `timer`, `manual`, `import`.
        item_kind: What it is for.
        duration_minutes: How long, in minutes.
        is_billable: Whether it will be billed.
        note_length: Characters of the note.
    """

    entry_kind: str
    item_kind: str
    duration_minutes: Duration
    is_billable: bool
    note_length: int


class TimeEntryUpdated(TypedDict, total=False):
    """`time_entry_updated`: recorded time was changed.

    Attributes:
        changed_fields: Names of the fields, not what is in them.
        duration_minutes: How long it is now, in minutes.
    """

    changed_fields: list[str]
    duration_minutes: Duration


class TimeEntriesApproved(TypedDict, total=False):
    """`time_entries_approved`: recorded time was approved.

    Attributes:
        entry_count: How many entries.
        duration_minutes: Their sum, in minutes.
    """

    entry_count: int
    duration_minutes: Duration
