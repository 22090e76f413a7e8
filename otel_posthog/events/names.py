"""What products commonly track, under one name each, in `snake_case`: the thing, then what became of it."""

from __future__ import annotations

from enum import Enum


class AnalyticsEvents(str, Enum):
    """Names of events; a member is its name, wherever a text is taken.

    Each has its properties in a file of this package, and `docs/events.md` lists them all.
    """

    # account
    USER_LOGGED_IN = "user_logged_in"
    USER_LOGGED_OUT = "user_logged_out"
    USER_SIGNED_UP = "user_signed_up"

    # tickets
    TICKET_CREATED = "ticket_created"
    TICKET_VIEWED = "ticket_viewed"
    TICKET_UPDATED = "ticket_updated"
    TICKET_ASSIGNED = "ticket_assigned"
    TICKET_STATUS_CHANGED = "ticket_status_changed"
    TICKET_COMMENTED = "ticket_commented"
    TICKET_RESOLVED = "ticket_resolved"

    # work items
    WORK_ITEM_CREATED = "work_item_created"
    WORK_ITEM_UPDATED = "work_item_updated"
    WORK_ITEM_COMPLETED = "work_item_completed"

    # time entries
    TIMER_STARTED = "timer_started"
    TIMER_STOPPED = "timer_stopped"
    TIME_ENTRY_CREATED = "time_entry_created"
    TIME_ENTRY_UPDATED = "time_entry_updated"
    TIME_ENTRIES_APPROVED = "time_entries_approved"

    # billing
    INVOICE_CREATED = "invoice_created"
    INVOICE_SENT = "invoice_sent"
    INVOICE_PAID = "invoice_paid"
    PAYMENT_FAILED = "payment_failed"
    BILLING_PLAN_CHANGED = "billing_plan_changed"

    # projects
    PROJECT_CREATED = "project_created"
    PROJECT_UPDATED = "project_updated"
    PROJECT_TASK_COMPLETED = "project_task_completed"
    PROJECT_COMPLETED = "project_completed"

    # usage
    FEATURE_USED = "feature_used"
    SEARCH_PERFORMED = "search_performed"
    SEARCH_RESULT_OPENED = "search_result_opened"

    # reports
    REPORT_GENERATED = "report_generated"
    REPORT_VIEWED = "report_viewed"
    DATA_EXPORTED = "data_exported"
    DATA_IMPORTED = "data_imported"

    # navigation
    PAGE_VIEWED = "page_viewed"
    TAB_CHANGED = "tab_changed"

    # reliability
    API_ERROR_OCCURRED = "api_error_occurred"
    PERFORMANCE_MEASURED = "performance_measured"

    # journeys
    JOURNEY_STARTED = "journey_started"
    JOURNEY_STEP_COMPLETED = "journey_step_completed"
    JOURNEY_COMPLETED = "journey_completed"
    JOURNEY_ABANDONED = "journey_abandoned"

    # As in the StrEnum of Python 3.11: what is printed or put into a text is the name of the event.
    __str__ = str.__str__
