"""Projects and their tasks."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class ProjectCreated(TypedDict, total=False):
    """`project_created`: a project was made.

    Attributes:
        template_kind: The template, or `none`.
        task_count: Tasks in it.
        is_billable: Whether it will be billed.
    """

    template_kind: str
    task_count: int
    is_billable: bool


class ProjectUpdated(TypedDict, total=False):
    """`project_updated`: fields of a project were changed.

    Attributes:
        changed_fields: Names of the fields, not what is in them.
        status: Its status.
    """

    changed_fields: list[str]
    status: str


class ProjectTaskCompleted(TypedDict, total=False):
    """`project_task_completed`: a task of a project was done.

    Attributes:
        duration_hours: From made to done.
        is_on_time: Whether it was done before it was due.
    """

    duration_hours: Duration
    is_on_time: bool


class ProjectCompleted(TypedDict, total=False):
    """`project_completed`: a project was done.

    Attributes:
        duration_days: From made to done.
        task_count: Tasks in it.
        is_on_time: Whether it was done before it was due.
    """

    duration_days: Duration
    task_count: int
    is_on_time: bool
