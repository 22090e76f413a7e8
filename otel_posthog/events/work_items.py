"""What is done with any other kind of work item: tasks, bugs, orders, cases. `item_kind` says which."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class WorkItemCreated(TypedDict, total=False):
    """`work_item_created`: a work item was made.

    Attributes:
        item_kind: `task`, `bug`, `order`, ...
        priority: Its priority.
        source_kind: `manual`, `template`, `automation`.
    """

    item_kind: str
    priority: str
    source_kind: str


class WorkItemUpdated(TypedDict, total=False):
    """`work_item_updated`: fields of a work item were changed.

    Attributes:
        item_kind: Its kind.
        changed_fields: Names of the fields, not what is in them.
    """

    item_kind: str
    changed_fields: list[str]


class WorkItemCompleted(TypedDict, total=False):
    """`work_item_completed`: a work item was done.

    Attributes:
        item_kind: Its kind.
        duration_hours: From made to done.
        is_on_time: Whether it was done before it was due.
    """

    item_kind: str
    duration_hours: Duration
    is_on_time: bool
