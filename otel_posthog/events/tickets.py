"""What is done with tickets. Counts, lengths and kinds; subjects, texts and customers stay where they are."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class TicketCreated(TypedDict, total=False):
    """`ticket_created`: a ticket was opened.

    Attributes:
        channel: `web`, `mail`, `chat`, `api`, ...
        priority: As the product calls it.
        category: As the product calls it.
        description_length: Characters of the description.
        attachment_count: Files attached.
    """

    channel: str
    priority: str
    category: str
    description_length: int
    attachment_count: int


class TicketViewed(TypedDict, total=False):
    """`ticket_viewed`: a ticket was looked at.

    Attributes:
        priority: Its priority.
        status: Its status.
        age_hours: Since it was opened.
    """

    priority: str
    status: str
    age_hours: Duration


class TicketUpdated(TypedDict, total=False):
    """`ticket_updated`: fields of a ticket were changed.

    Attributes:
        changed_fields: Names of the fields, not what is in them.
        status: Its status.
    """

    changed_fields: list[str]
    status: str


class TicketAssigned(TypedDict, total=False):
    """`ticket_assigned`: a ticket was given to somebody.

    Attributes:
        assignee_kind: `person`, `team`, `automation`.
        is_reassignment: Whether it was somebody else's before.
        age_hours: Since it was opened.
    """

    assignee_kind: str
    is_reassignment: bool
    age_hours: Duration


class TicketStatusChanged(TypedDict, total=False):
    """`ticket_status_changed`: a ticket went from one status to another.

    Attributes:
        from_status: Before.
        to_status: After.
        age_hours: Since it was opened.
    """

    from_status: str
    to_status: str
    age_hours: Duration


class TicketCommented(TypedDict, total=False):
    """`ticket_commented`: a comment was added.

    Attributes:
        comment_length: Characters of the comment.
        is_internal: Whether the customer sees it.
        attachment_count: Files attached.
    """

    comment_length: int
    is_internal: bool
    attachment_count: int


class TicketResolved(TypedDict, total=False):
    """`ticket_resolved`: a ticket was done with.

    Attributes:
        resolution: As the product calls it.
        duration_hours: From open to resolved.
        comment_count: Comments until then.
        reopen_count: How often it had been reopened.
    """

    resolution: str
    duration_hours: Duration
    comment_count: int
    reopen_count: int
